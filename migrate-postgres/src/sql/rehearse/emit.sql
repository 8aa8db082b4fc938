BEGIN;
SELECT pg_catalog.pg_logical_emit_message(true, 'migrate rehearses', pg_catalog.repeat('x', {bytes}));
