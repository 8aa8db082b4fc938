-- The user's relations, with what changes when they are read or written as a whole.
SELECT c.oid::int8,
       CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END::text AS name,
       c.relkind::text,
       c.relfilenode::int8,
       coalesce(pg_relation_size(c.oid), 0)::int8 AS size,
       coalesce(pg_stat_get_xact_numscans(c.oid), 0)::int8 AS scans,
       coalesce(i.indrelid, d.refobjid)::int8 AS owner
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_depend d
    ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
        AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') AND c.relkind = 'S'
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%' AND c.relkind <> 'c'
