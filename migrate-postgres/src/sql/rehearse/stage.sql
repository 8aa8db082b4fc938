CREATE SCHEMA migrate_rehearsal;
SELECT pg_catalog.set_config('search_path', 'migrate_rehearsal, ' || pg_catalog.current_setting('search_path'), true),
    pg_catalog.current_setting('wal_level') AS wal_level;
-- Who helps with a table depends on its size: it is reckoned with afterwards.
SET LOCAL max_parallel_maintenance_workers = 0;
