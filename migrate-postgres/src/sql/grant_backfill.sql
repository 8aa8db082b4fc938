GRANT SELECT ON {backfill}, {range} TO {reader};
