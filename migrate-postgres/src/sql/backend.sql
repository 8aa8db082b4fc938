SELECT pg_catalog.pg_backend_pid() AS backend,
    (SELECT (extract(epoch FROM a.backend_start) * 1000000)::bigint
        FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_catalog.pg_backend_pid()) AS began,
    (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint AS now
