DELETE FROM {range} r WHERE r.set_name = {set} AND r.version = {version} AND r.phase = {phase};
