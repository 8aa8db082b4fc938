SELECT concat_ws(' ', 'history', h.version, h.phase, h.name, h.direction, h.state, h.statement, h.checksum,
    CASE WHEN h.statement IS NULL THEN h.kind END, md5(h.up_sql), md5(h.down_sql), h.role) AS line
FROM public.schema_migrations h WHERE h.state IN ('done', 'reverted')
