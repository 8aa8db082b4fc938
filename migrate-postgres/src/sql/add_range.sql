INSERT INTO {range} (set_name, version, phase, no, relation, after_place, up_to_place, is_last, is_hole, filenode)
SELECT {set}, {version}, {phase}, coalesce(max(r.no), 0) + 1, {relation}, {after}, {up_to}, {is_last}, {is_hole}, {filenode}
FROM {range} r WHERE r.set_name = {set} AND r.version = {version} AND r.phase = {phase};
