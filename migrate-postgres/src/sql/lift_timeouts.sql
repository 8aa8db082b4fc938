SELECT pg_catalog.format('SET lock_timeout = %L; SET statement_timeout = %L',
    pg_catalog.current_setting('lock_timeout'), pg_catalog.current_setting('statement_timeout')) AS restore;
SET lock_timeout = {lock};
SET statement_timeout = 0
