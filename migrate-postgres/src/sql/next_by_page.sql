SELECT pg_catalog.pg_relation_filenode(c.oid)::bigint AS filenode,
    pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint AS pages,
    c.reltuples / greatest(c.relpages, 1) AS rows_a_page
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass({relation});
