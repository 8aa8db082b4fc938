    UNION ALL
    -- A query that is copied is no relation, and only a file has a size.
    SELECT y.pid, y.relid, y.command, 'copying', NULL, NULL,
        CASE WHEN y.bytes_total > 0 THEN 'bytes' ELSE 'rows' END,
        CASE WHEN y.bytes_total > 0 THEN y.bytes_processed ELSE y.tuples_processed END,
        CASE WHEN y.bytes_total > 0 THEN y.bytes_total END
    FROM pg_catalog.pg_stat_progress_copy y
