-- What is pending is a column from PostgreSQL 14.
SELECT CASE WHEN i.inhrelid IS NULL THEN 'done'
        WHEN pg_catalog.to_jsonb(i) ->> 'inhdetachpending' = 'true' THEN 'half' END AS verdict,
    pg_catalog.format(CASE WHEN i.inhrelid IS NULL THEN 'the partition %I.%I was detached'
        ELSE 'the partition %I.%I was half detached and is detached to the end' END, pn.nspname, p.relname) AS found,
    pg_catalog.format('ALTER TABLE %I.%I DETACH PARTITION %I.%I FINALIZE',
        tn.nspname, t.relname, pn.nspname, p.relname) AS repair
FROM pg_catalog.pg_class t
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = pg_catalog.to_regclass({partition})
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = p.oid AND i.inhparent = t.oid
WHERE t.oid = pg_catalog.to_regclass({table})
