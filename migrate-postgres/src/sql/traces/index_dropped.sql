SELECT 'done' AS verdict, 'the index was dropped' AS found
FROM pg_catalog.unnest(ARRAY[{indexes}]::pg_catalog.text[]) AS dropped (name)
HAVING pg_catalog.bool_and(pg_catalog.to_regclass(name) IS NULL)
