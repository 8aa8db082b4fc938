SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f')
        AND c.relnamespace IN (
            SELECT n.oid FROM pg_catalog.pg_namespace n
            WHERE n.nspname = {schema} OR n.nspname = ANY (pg_catalog.current_schemas(false))
        )
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({history_name})
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({settled_name})
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({lease_name})
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({backfill_name})
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({range_name})
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({instance_name})
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({stranger_name})
        AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({approval_name})
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
) AS used
