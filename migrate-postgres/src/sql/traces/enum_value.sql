SELECT 'done' AS verdict, 'the value was there' AS found
FROM pg_catalog.pg_enum
WHERE enumtypid = pg_catalog.to_regtype({enumeration}) AND enumlabel = {label}
