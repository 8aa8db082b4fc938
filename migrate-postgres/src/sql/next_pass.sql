DELETE FROM {range} WHERE set_name = {set} AND version = {version} AND phase = {phase} AND is_hole;
UPDATE {backfill} b SET pass = b.pass + 1, changed = b.changed + (
    SELECT coalesce(sum(r.changed), 0) FROM {range} r
    WHERE r.set_name = b.set_name AND r.version = b.version AND r.phase = b.phase
)
WHERE b.set_name = {set} AND b.version = {version} AND b.phase = {phase};
UPDATE {range} SET done = false, cursor_place = NULL, seen = 0, changed = 0, filenode = NULL, holder = NULL, backend = NULL,
    up_to_place = CASE WHEN NOT is_last THEN up_to_place END
WHERE set_name = {set} AND version = {version} AND phase = {phase};
