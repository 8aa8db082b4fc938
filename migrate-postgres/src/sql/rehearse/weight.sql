SELECT pg_catalog.pg_indexes_size(pg_catalog.to_regclass({relation})) AS indexes,
    (SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = pg_catalog.to_regclass({relation})) AS number,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS most_wal,
    pg_catalog.current_setting('full_page_writes') AS full_pages,
    pg_catalog.current_setting('block_size') AS page;
