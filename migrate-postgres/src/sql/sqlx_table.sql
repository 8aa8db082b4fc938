SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
    pg_catalog.has_table_privilege(c.oid, 'INSERT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
        AND pg_catalog.has_table_privilege(c.oid, 'DELETE') AS writable,
    pg_catalog.quote_ident(current_user) AS who,
    pg_catalog.current_database()::text AS database,
    pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') AS now,
    EXISTS (
        SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class h ON h.oid = t.tgrelid
        JOIN pg_catalog.pg_namespace s ON s.oid = h.relnamespace AND s.nspname = {schema}
        WHERE t.tgname = {mirror_name}
    ) AS mirrored
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = {table}
