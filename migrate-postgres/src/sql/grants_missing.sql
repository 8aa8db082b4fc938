SELECT EXISTS (
    SELECT FROM pg_catalog.unnest(ARRAY[{roles}]::text[]) r (name)
    LEFT JOIN pg_catalog.pg_roles a ON a.rolname = r.name
    WHERE a.oid IS NULL
        OR NOT pg_catalog.has_schema_privilege(a.oid, pg_catalog.to_regnamespace(pg_catalog.quote_ident({schema})), 'USAGE')
        OR NOT pg_catalog.has_table_privilege(a.oid, pg_catalog.to_regclass({history_name}), 'SELECT')
        OR NOT pg_catalog.has_table_privilege(a.oid, pg_catalog.to_regclass({settled_name}), 'SELECT')
        OR NOT pg_catalog.has_table_privilege(a.oid, pg_catalog.to_regclass({instance_name}), 'INSERT')
) AND pg_catalog.pg_has_role(c.relowner, 'MEMBER') AS missing
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass({history_name})
