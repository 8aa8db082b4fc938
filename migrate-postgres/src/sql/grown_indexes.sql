-- Those that are built anew are other ones, so that whoever comes second finds them no more.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, g.before, g.now
FROM {backfill} b
CROSS JOIN LATERAL pg_catalog.jsonb_each_text(b.index_bytes) s
JOIN pg_catalog.pg_class c ON c.oid = s.key::pg_catalog.oid AND c.relkind = 'i'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND i.indisvalid AND NOT i.indisexclusion
CROSS JOIN LATERAL (SELECT s.value::bigint AS before, pg_catalog.pg_relation_size(c.oid) AS now) g
WHERE b.set_name = {set} AND b.version = {version} AND b.phase = {phase}
    AND g.now > g.before * 1.2 AND g.now - g.before > 1048576
ORDER BY g.now - g.before DESC, name;
