SELECT l.holder, l.login, l.heartbeat::text AS heartbeat FROM {lease} l
WHERE l.set_name = {set} AND l.holder IS NOT NULL AND l.expires_at >= pg_catalog.clock_timestamp()
