SELECT b.checksum, b.state, b.wanted, b.limits, b.pass, b.expected, b.changed, b.reason,
    r.ranges, r.done, r.seen, r.changed_now, r.batches, r.holders, r.is_elsewhere, r.relations
FROM {backfill} b
CROSS JOIN LATERAL (
    SELECT count(*) AS ranges, count(*) FILTER (WHERE r.done) AS done, coalesce(sum(r.seen), 0) AS seen,
        coalesce(sum(r.changed), 0) AS changed_now, coalesce(sum(r.batches), 0) AS batches,
        string_agg(DISTINCT r.holder, ', ') FILTER (
            WHERE NOT r.done AND r.holder <> {me} AND r.expires_at >= pg_catalog.clock_timestamp()
        ) AS holders,
        -- Rows have other places than when they were counted: what was gone through is not all there is.
        coalesce(bool_or(pg_catalog.pg_relation_filenode(pg_catalog.to_regclass(r.relation))::bigint IS DISTINCT FROM r.filenode)
            FILTER (WHERE r.filenode IS NOT NULL), false) AS is_elsewhere,
        array_agg(DISTINCT r.relation) AS relations
    FROM {range} r WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
) r
WHERE b.set_name = {set} AND b.version = {version} AND b.phase = {phase}
