-- What belongs to a table, each as the statement that makes it: keys before what needs them.
SELECT s.statement FROM (
    SELECT 1 AS turn, q.oid, pg_catalog.format('CREATE SEQUENCE %1$I; ALTER TABLE ONLY %2$I ALTER COLUMN %3$I SET DEFAULT nextval(''migrate_rehearsal.%1$I''); ALTER SEQUENCE %1$I OWNED BY %2$I.%3$I',
        q.relname, c.relname, a.attname) AS statement
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'a'
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class q ON q.oid = d.objid AND q.relkind = 'S'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    WHERE c.oid = {oid}
    UNION ALL
    SELECT CASE o.contype WHEN 'p' THEN 2 WHEN 'u' THEN 3 WHEN 'f' THEN 9 ELSE 4 END, o.oid,
        pg_catalog.format('ALTER TABLE ONLY %I ADD CONSTRAINT %I %s', c.relname, o.conname,
            pg_catalog.pg_get_constraintdef(o.oid) || CASE WHEN o.contype = 'f' AND o.convalidated THEN ' NOT VALID' ELSE '' END)
    FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
    WHERE o.conrelid = {oid} AND (
        o.contype IN ('p', 'u', 'x', 'c') OR o.contype = 'n' AND NOT o.convalidated
        OR o.contype = 'f' AND (NOT o.convalidated OR o.conname = ANY ({words}::text[]))
    )
    UNION ALL
    SELECT 5, i.indexrelid, pg_catalog.pg_get_indexdef(i.indexrelid)
    FROM pg_catalog.pg_index i
    WHERE i.indrelid = {oid} AND i.indisvalid
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 10, t.oid, pg_catalog.pg_get_triggerdef(t.oid)
    FROM pg_catalog.pg_trigger t WHERE t.tgrelid = {oid} AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
) s
ORDER BY s.turn, s.oid
