SELECT (extract(epoch FROM a.query_start) * 1000000)::bigint AS sent
FROM pg_catalog.pg_stat_activity a WHERE a.pid = {pid}
