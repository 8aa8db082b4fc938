INSERT INTO {lease} AS l (set_name, fence, heartbeat, expires_at, holder, login)
SELECT {set}, 1, pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp() + {lasts}, {holder}, session_user
WHERE pg_catalog.pg_try_advisory_xact_lock({key})
ON CONFLICT (set_name) DO UPDATE
SET fence = l.fence + 1, heartbeat = excluded.heartbeat, expires_at = excluded.expires_at, holder = excluded.holder,
    login = excluded.login
WHERE l.holder IS NULL OR l.expires_at < pg_catalog.clock_timestamp()
RETURNING l.fence
