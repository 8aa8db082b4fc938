UPDATE {backfill} SET {what}
WHERE set_name = {set} AND version = {version} AND phase = {phase} AND state <> 'done' RETURNING version
