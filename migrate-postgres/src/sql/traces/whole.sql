-- A limit of -2 marks a database whose drop was cut short.
SELECT 'done' AS verdict,
    CASE WHEN {made} THEN pg_catalog.format('%I was there', {name}) ELSE pg_catalog.format('%I was gone', {name}) END AS found
WHERE {made} = EXISTS (
    SELECT FROM pg_catalog.pg_database
    WHERE {kind} = 'DATABASE' AND datname = {name} AND NOT ({made} AND datconnlimit = -2)
    UNION ALL
    SELECT FROM pg_catalog.pg_tablespace WHERE {kind} = 'TABLESPACE' AND spcname = {name}
    UNION ALL
    SELECT FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
    WHERE {kind} = 'SUBSCRIPTION' AND d.datname = pg_catalog.current_database() AND s.subname = {name}
)
