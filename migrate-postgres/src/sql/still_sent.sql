coalesce(a.state, 'active') NOT LIKE 'idle%'
    AND (extract(epoch FROM a.backend_start) * 1000000)::bigint IS NOT DISTINCT FROM {began}
    AND (extract(epoch FROM a.query_start) * 1000000)::bigint IS NOT DISTINCT FROM {sent}
