SELECT concat_ws(' ', version, phase, statement, state, reason) FROM schema_migrations WHERE state NOT IN ('started', 'done') OR direction <> 'up'
