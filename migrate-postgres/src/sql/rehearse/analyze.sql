ANALYZE migrate_rehearsal.{table};
