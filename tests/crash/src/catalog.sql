WITH ours AS (
    SELECT n.* FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), relation AS (
    SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
)
SELECT concat_ws(' ', 'schema', n.nspname, pg_get_userbyid(n.nspowner), n.nspacl) AS line FROM ours n
UNION ALL
SELECT concat_ws(' ', 'relation', r.name, r.relkind, r.relpersistence, pg_get_userbyid(r.relowner), r.relacl,
    r.reloptions, pg_get_expr(r.relpartbound, r.oid), obj_description(r.oid, 'pg_class'))
FROM relation r
UNION ALL
SELECT concat_ws(' ', 'column', r.name, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'not null' END, nullif(a.attidentity, ''), nullif(a.attgenerated, ''), pg_get_expr(d.adbin, d.adrelid))
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid, 'ready', i.indisready, 'live', i.indislive)
FROM relation r JOIN pg_index i ON i.indexrelid = r.oid
UNION ALL
SELECT concat_ws(' ', 'constraint', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid), 'validated', c.convalidated)
FROM pg_constraint c JOIN ours n ON n.oid = c.connamespace
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled)
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT concat_ws(' ', 'function', pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner), p.proacl)
FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace WHERE p.prokind IN ('f', 'p')
UNION ALL
SELECT concat_ws(' ', 'label', e.enumtypid::regtype, row_number() OVER (PARTITION BY e.enumtypid ORDER BY e.enumsortorder), e.enumlabel)
FROM pg_enum e
UNION ALL
SELECT concat_ws(' ', 'child', i.inhrelid::regclass, 'of', i.inhparent::regclass, 'detaching',
    coalesce(to_jsonb(i) ->> 'inhdetachpending', 'false'))
FROM pg_inherits i JOIN relation r ON r.oid = i.inhrelid
