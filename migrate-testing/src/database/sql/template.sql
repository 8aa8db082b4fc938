SELECT datistemplate AS is_whole, shobj_description(oid, 'pg_database') AS note
FROM pg_database
WHERE datname = '{name}'
