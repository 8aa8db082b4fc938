coalesce(pg_catalog.to_regclass({usual}), (
    SELECT u.oid FROM pg_catalog.pg_class u JOIN pg_catalog.pg_namespace s ON s.oid = u.relnamespace
    WHERE u.relname = {usual} AND s.nspname = {schema}
))
