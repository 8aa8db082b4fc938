SELECT r.fence, r.done, b.checksum, b.wanted, b.limits, b.pass, b.reason, pg_catalog.pg_current_wal_insert_lsn()::text AS wal
FROM {range} r JOIN {backfill} b ON b.set_name = r.set_name AND b.version = r.version AND b.phase = r.phase
WHERE r.set_name = {set} AND r.version = {version} AND r.phase = {phase} AND r.no = {no}
FOR UPDATE OF r;
