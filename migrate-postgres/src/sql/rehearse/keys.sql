-- Foreign keys of the stage whose rows nobody has looked up: both sides, and the columns there with the values that are missing.
SELECT o.oid::bigint AS oid, child.relname AS child, parent.relname AS parent,
    (SELECT string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.place)
        FROM unnest(o.conkey) WITH ORDINALITY k (number, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number) AS columns,
    (SELECT string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.place)
        FROM unnest(o.confkey) WITH ORDINALITY k (number, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.number) AS referenced,
    (SELECT string_agg(pg_catalog.format('u.c%s::%s', k.place, pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY k.place)
        FROM unnest(o.confkey) WITH ORDINALITY k (number, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.number) AS typed,
    pg_catalog.cardinality(o.conkey) AS width
FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class child ON child.oid = o.conrelid
JOIN pg_catalog.pg_class parent ON parent.oid = o.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = child.relnamespace
WHERE o.contype = 'f' AND NOT o.convalidated AND n.nspname = 'migrate_rehearsal'
