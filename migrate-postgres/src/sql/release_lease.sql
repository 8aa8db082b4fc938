UPDATE {lease} SET holder = NULL, expires_at = pg_catalog.clock_timestamp() WHERE set_name = {set} AND fence = {fence}
