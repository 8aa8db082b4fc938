SELECT FROM {backfill} b WHERE b.set_name = {set} AND b.version = {version} AND b.phase = {phase} FOR UPDATE;
