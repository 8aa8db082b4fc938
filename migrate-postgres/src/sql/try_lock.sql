SELECT pg_catalog.pg_try_advisory_lock({key}) AS ours, EXISTS (
    SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {schema} AND c.relname = {lease_relation}
) AS leased
