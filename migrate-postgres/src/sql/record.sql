INSERT INTO {history} (set_name, seq, version, phase, name, kind, direction, state, statement, checksum,
    up_sql, down_sql, started_at, finished_at, login, role, application, host, build, library, reason)
VALUES
{rows};
