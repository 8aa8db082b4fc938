UPDATE {lease} l
SET fence = CASE WHEN l.fence = {fence} AND l.holder IS NOT NULL THEN l.fence END,
    heartbeat = CASE WHEN pg_catalog.pg_try_advisory_xact_lock({key}) THEN pg_catalog.clock_timestamp() END,
    expires_at = pg_catalog.clock_timestamp() + {lasts}
WHERE l.set_name = {set};
