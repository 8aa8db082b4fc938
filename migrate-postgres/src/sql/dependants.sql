-- What depends on what is gone, as the catalog knows it, and the functions whose text has its name in it; without
-- what the same migration drops or makes anew.
WITH gone (kind, fate, path, name, part) AS (VALUES {gone}),
relation AS MATERIALIZED (
    SELECT g.kind, g.fate, g.name, g.part, pg_catalog.to_regclass(g.path) AS oid, a.attnum
    FROM gone g LEFT JOIN pg_catalog.pg_attribute a
        ON a.attrelid = pg_catalog.to_regclass(g.path) AND a.attname = g.part AND NOT a.attisdropped
    WHERE g.kind IN ('relation', 'column')
), dependant AS MATERIALIZED (
    SELECT DISTINCT d.classid, d.objid, d.objsubid
    FROM relation r
    LEFT JOIN pg_catalog.pg_class c ON c.oid = r.oid AND r.kind = 'relation'
    JOIN pg_catalog.pg_depend d
        ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.oid
        AND (r.kind = 'relation' OR d.refobjsubid = r.attnum)
        -- A table is a type, too.
        OR d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid = c.reltype
    WHERE r.fate = 'gone' AND (
        d.deptype = 'n'
        OR d.classid = 'pg_catalog.pg_publication_rel'::pg_catalog.regclass
        -- A generated column, before PostgreSQL 15.
        OR d.deptype = 'a' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = d.refobjid
            AND d.objsubid <> d.refobjsubid
    )
), found AS (
    SELECT d.*, w.ev_class, t.tgname, p.polname, f.proname, x.adnum,
        coalesce(w.ev_class, t.tgrelid, p.polrelid, k.conrelid, x.adrelid, c.oid) AS relid,
        coalesce(x.adnum, d.objsubid) AS attnum
    FROM dependant d
    LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND w.oid = d.objid
    LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND t.oid = d.objid
    LEFT JOIN pg_catalog.pg_policy p ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND p.oid = d.objid
    LEFT JOIN pg_catalog.pg_proc f ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND f.oid = d.objid
    LEFT JOIN pg_catalog.pg_constraint k
        ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid
    LEFT JOIN pg_catalog.pg_attrdef x ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND x.oid = d.objid
    LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid
)
SELECT CASE
        WHEN f.ev_class IS NOT NULL THEN pg_catalog.format(
            CASE (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = f.ev_class)
                WHEN 'v' THEN 'view %s' WHEN 'm' THEN 'materialized view %s' ELSE 'a rule on %s' END,
            f.ev_class::pg_catalog.regclass)
        ELSE pg_catalog.pg_describe_object(f.classid, f.objid, f.objsubid)
    END AS what
FROM found f
WHERE NOT EXISTS (SELECT FROM relation r WHERE r.kind = 'relation' AND r.fate <> 'renamed' AND r.oid = f.relid)
    AND NOT EXISTS (
        SELECT FROM relation r
        WHERE r.kind = 'column' AND r.fate = 'gone' AND r.oid = f.relid AND r.attnum = f.attnum
            AND f.ev_class IS NULL
    )
    AND NOT EXISTS (
        SELECT FROM gone g
        WHERE g.kind = 'trigger' AND pg_catalog.to_regclass(g.path) = f.relid AND g.part = f.tgname
            OR g.kind = 'policy' AND pg_catalog.to_regclass(g.path) = f.relid AND g.part = f.polname
            OR g.kind = 'function' AND g.name = f.proname
    )
UNION
SELECT pg_catalog.format('the text of function %s', f.oid::pg_catalog.regprocedure)
FROM relation r
JOIN LATERAL (
    SELECT E'\\m' || pg_catalog.regexp_replace(r.name, E'(\\W)', E'\\\\\\1', 'g') || E'\\M' AS relation,
        E'\\m' || pg_catalog.regexp_replace(r.part, E'(\\W)', E'\\\\\\1', 'g') || E'\\M' AS part
) words ON true
JOIN pg_catalog.pg_proc f ON f.prosrc ~* coalesce(words.part, words.relation) AND (
    f.prosrc ~* words.relation
    OR EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgfoid = f.oid AND t.tgrelid = r.oid)
)
JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = f.prolang
WHERE r.fate <> 'replaced' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE E'pg\\_%'
    AND l.lanname NOT IN ('internal', 'c')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid AND d.deptype = 'e'
    )
    AND NOT EXISTS (SELECT FROM gone g WHERE g.kind = 'function' AND g.name = f.proname)
ORDER BY what
