SELECT pg_catalog.clock_timestamp() >= l.done_at + {soak} AS is_over,
    extract(epoch FROM l.done_at + {soak} - pg_catalog.clock_timestamp())::bigint AS left_s,
    pg_catalog.to_char((l.done_at + {soak}) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS until
FROM (
    SELECT pg_catalog.max(h.finished_at) AS done_at FROM {history} h
    WHERE h.set_name = {set} AND h.state = 'done' AND h.direction = 'up' AND h.statement IS NULL
        AND h.phase <> 'contract' AND h.version {which} {version}
) l WHERE l.done_at IS NOT NULL
