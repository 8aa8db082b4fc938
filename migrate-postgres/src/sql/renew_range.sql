UPDATE {range} SET expires_at = pg_catalog.clock_timestamp() + {lasts}, limited_by = {limited_by}, why = {why},
    updated_at = pg_catalog.clock_timestamp()
WHERE set_name = {set} AND version = {version} AND phase = {phase} AND no = {no} AND fence = {fence}
