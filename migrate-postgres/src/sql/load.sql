SELECT h.seq, h.version, h.phase, h.name, h.kind, h.direction, h.state, h.statement, h.checksum,
    h.up_sql IS NOT NULL AS has_up, h.down_sql IS NOT NULL AS has_down,
    CASE WHEN h.phase = 'contract' AND h.up_sql LIKE '%compatible because%' THEN h.up_sql END AS head,
    pg_catalog.to_char(h.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
    h.format, pg_catalog.hashtext(h.xmin::text || h.ctid::text) AS stamp,
    (SELECT pg_catalog.to_regclass({instance_name}) IS NOT NULL) AS has_instances
FROM {history} h WHERE h.set_name = {set} ORDER BY h.seq
