SELECT c.system_identifier || '/' || d.oid AS whereabouts
FROM pg_catalog.pg_control_system() c, pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
