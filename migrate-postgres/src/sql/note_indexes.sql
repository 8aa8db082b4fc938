-- What goes on with the changes of an earlier attempt is compared with what was before that one.
UPDATE {backfill} b SET index_bytes = (
    SELECT coalesce(
        pg_catalog.jsonb_object_agg(i.indexrelid::pg_catalog.text, pg_catalog.pg_relation_size(i.indexrelid)),
        pg_catalog.jsonb_build_object()
    )
    FROM pg_catalog.pg_index i
    WHERE i.indrelid IN (
        SELECT pg_catalog.to_regclass(p) FROM pg_catalog.unnest({parts}) p
        UNION ALL
        SELECT t.relid FROM pg_catalog.unnest({parts}) p, pg_catalog.pg_partition_tree(pg_catalog.to_regclass(p)) t
    )
)
WHERE b.set_name = {set} AND b.version = {version} AND b.phase = {phase} AND b.changed = 0;
