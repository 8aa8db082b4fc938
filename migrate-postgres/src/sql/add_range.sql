INSERT INTO {range} (set_name, version, phase, no, relation, after_place, up_to_place, is_last, is_hole, filenode, fence)
SELECT {set}, {version}, {phase}, coalesce(max(r.no), 0) + 1, {relation}, {after}, {up_to}, {is_last}, {is_hole}, {filenode},
    -- Above that of any range of this number that was there before.
    floor(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint
FROM {range} r WHERE r.set_name = {set} AND r.version = {version} AND r.phase = {phase};
