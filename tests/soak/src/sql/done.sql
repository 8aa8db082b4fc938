SELECT concat_ws(' ', version, phase) FROM schema_migrations WHERE state = 'done' AND statement IS NULL ORDER BY seq
