(SELECT b.checkpoints_req FROM pg_catalog.pg_stat_bgwriter b)
