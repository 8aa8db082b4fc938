SELECT limits FROM {backfill} WHERE set_name = {set} AND version = {version} AND phase = {phase} AND state <> 'done'
