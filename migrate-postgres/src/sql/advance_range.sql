UPDATE {range}
SET cursor_place = {cursor}, up_to_place = {up_to}, filenode = {filenode}, done = {done}, seen = seen + {seen},
    changed = changed + {changed}, batches = batches + 1, batch_rows = {batch_rows}, batch_ms = {batch_ms},
    batch_wal = pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), {wal}),
    limited_by = {limited_by}, why = {why},
    holder = CASE WHEN NOT {done} THEN holder END, backend = CASE WHEN NOT {done} THEN backend END,
    expires_at = pg_catalog.clock_timestamp() + {lasts}, updated_at = pg_catalog.clock_timestamp()
WHERE set_name = {set} AND version = {version} AND phase = {phase} AND no = {no}
RETURNING batch_wal;
