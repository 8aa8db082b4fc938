SELECT count(*) > 0 AS is_there, coalesce(bool_and(c.convalidated), false) AS is_proved
FROM pg_catalog.pg_constraint c
WHERE c.conrelid = pg_catalog.to_regclass({relation}) AND c.conname = {name} AND c.contype = 'c'
