(SELECT c.num_requested FROM pg_catalog.pg_stat_checkpointer c)
