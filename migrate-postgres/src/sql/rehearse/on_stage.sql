-- Which of these names are those of something on the stage.
SELECT w.name FROM (VALUES {names}) w (name)
WHERE EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'migrate_rehearsal' AND c.relname = w.name)
    OR EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'migrate_rehearsal' AND p.proname = w.name)
    OR EXISTS (SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = 'migrate_rehearsal' AND t.typname = w.name)
