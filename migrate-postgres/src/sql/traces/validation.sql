SELECT 'done' AS verdict, 'the constraint was validated' AS found
FROM pg_catalog.pg_constraint
WHERE conrelid = pg_catalog.to_regclass({table}) AND conname = {constraint} AND convalidated
