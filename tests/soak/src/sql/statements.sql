SELECT concat_ws(' ', version, phase, statement) FROM schema_migrations WHERE state = 'done' AND statement IS NOT NULL
