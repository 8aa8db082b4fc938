UPDATE {range} AS r
SET holder = {me}, backend = {backend}, fence = r.fence + 1,
    expires_at = pg_catalog.clock_timestamp() + {lasts}, updated_at = pg_catalog.clock_timestamp()
WHERE r.set_name = {set} AND r.version = {version} AND r.phase = {phase} AND r.no = (
    SELECT t.no FROM {range} t
    WHERE t.set_name = {set} AND t.version = {version} AND t.phase = {phase} AND NOT t.done
        -- Rows that were locked come last, when all others are done.
        AND (NOT t.is_hole OR NOT EXISTS (
            SELECT FROM {range} o
            WHERE o.set_name = t.set_name AND o.version = t.version AND o.phase = t.phase AND NOT o.done AND NOT o.is_hole
        ))
        AND (
            t.holder IS NULL OR t.expires_at < pg_catalog.clock_timestamp()
            OR NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = t.backend)
        )
    ORDER BY t.no LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING r.no, r.relation, r.after_place, r.up_to_place, r.is_last, r.is_hole, r.cursor_place, r.filenode, r.fence, r.seen,
    r.changed, r.batch_rows
