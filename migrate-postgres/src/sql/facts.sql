SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.pg_is_in_recovery() AS standby,
    (SELECT (extract(epoch FROM a.backend_start) * 1000000)::bigint
        FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_catalog.pg_backend_pid()) AS began,
    pg_catalog.pg_postmaster_start_time()::text AS up_since,
    (extract(epoch FROM pg_catalog.current_setting('deadlock_timeout')::pg_catalog.interval) * 1000)::bigint AS deadlock_ms
