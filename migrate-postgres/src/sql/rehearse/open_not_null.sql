EXISTS (
    SELECT FROM pg_catalog.pg_constraint o
    WHERE o.conrelid = c.oid AND o.contype = 'n' AND NOT o.convalidated AND o.conkey = ARRAY[a.attnum]
)
