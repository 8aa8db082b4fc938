SELECT i.build, i.host, {version} = ANY (i.contracts) AS has_it,
    pg_catalog.array_to_string(ARRAY(
        SELECT n.name FROM pg_catalog.unnest(ARRAY[{needs}]::text[]) n (name) WHERE n.name <> ALL (i.capabilities)
    ), ', ') AS lacks,
    pg_catalog.array_to_string(i.capabilities, ', ') AS capabilities,
    extract(epoch FROM pg_catalog.clock_timestamp() - i.seen_at)::bigint AS seen_s
FROM {instance} i
WHERE i.set_name = {set} AND i.expires_at > pg_catalog.clock_timestamp()
ORDER BY i.build, i.host
