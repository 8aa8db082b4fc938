SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type FROM pg_catalog.pg_attribute a
WHERE a.attrelid = pg_catalog.to_regclass({history_name}) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
