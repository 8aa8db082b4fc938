SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation, c.relkind,
    pg_catalog.format('%I.%I', m.nspname, p.relname) AS part, greatest(p.reltuples, 0)::bigint AS rows,
    p.relkind AS part_kind, EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AS has_children
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf AND c.relkind = 'p'
) t ON true
JOIN pg_catalog.pg_class p ON p.oid = coalesce(t.relid, c.oid)
JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
WHERE c.oid = pg_catalog.to_regclass({table})
ORDER BY p.oid
