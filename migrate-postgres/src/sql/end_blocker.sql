SELECT pg_catalog.{ending}(a.pid) AS ended FROM pg_catalog.pg_stat_activity a
WHERE a.pid = {pid} AND {still}
