UPDATE {backfill} SET state = {state}, reason = {reason}, finished_at = CASE WHEN {state} = 'done' THEN pg_catalog.clock_timestamp() END
WHERE set_name = {set} AND version = {version} AND phase = {phase} AND checksum = {checksum} AND state <> 'done';
