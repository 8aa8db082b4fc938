-- How a table is made anew without its constraints, and which of its columns have values of their own.
SELECT pg_catalog.format('%s (%s)%s', pg_catalog.quote_ident(c.relname), string_agg(
        pg_catalog.quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation THEN (
            SELECT pg_catalog.format(' COLLATE %I.%I', m.nspname, l.collname)
            FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = a.attcollation
        ) ELSE '' END
        || CASE
            WHEN a.attgenerated <> '' THEN pg_catalog.format(' GENERATED ALWAYS AS (%s) %s', d.expression,
                CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)
            WHEN a.attidentity <> '' THEN pg_catalog.format(' GENERATED %s AS IDENTITY',
                CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END)
            -- A number that is taken from a sequence is not given back.
            WHEN d.expression IS NOT NULL AND d.expression !~* '\mnextval\M' THEN ' DEFAULT ' || d.expression
            ELSE ''
        END
        || CASE WHEN a.attnotnull AND NOT {open_not_null} THEN ' NOT NULL' ELSE '' END,
        ', ' ORDER BY a.attnum),
        coalesce(' WITH (' || (
            SELECT string_agg(o.option, ', ') FROM unnest(c.reloptions) o (option) WHERE o.option LIKE 'fillfactor=%'
        ) || ')', '')) AS made,
    string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN LATERAL (
    SELECT pg_catalog.pg_get_expr(e.adbin, e.adrelid) AS expression
    FROM pg_catalog.pg_attrdef e WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum
) d ON true
WHERE c.oid = {oid}
GROUP BY c.relname, c.reloptions
