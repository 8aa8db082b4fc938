CREATE SCHEMA migrate_rehearsal;
SELECT pg_catalog.set_config('search_path', 'migrate_rehearsal, ' || pg_catalog.current_setting('search_path'), true);
