UPDATE {backfill} SET limits = {limits}
WHERE set_name = {set} AND version = {version} AND phase = {phase} AND state <> 'done' AND limits = {before} RETURNING version
