a.state LIKE 'idle in transaction%' AND a.state_change < pg_catalog.clock_timestamp() - {patience}::pg_catalog.interval
