UPDATE {range} SET done = true, holder = NULL, backend = NULL, updated_at = pg_catalog.clock_timestamp()
WHERE set_name = {set} AND version = {version} AND phase = {phase} AND no = {no} AND fence = {fence};
