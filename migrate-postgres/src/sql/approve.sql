INSERT INTO {approval} (set_name, version, evidence, lines, reason, login, approved_at)
VALUES ({set}, {version}, {evidence}, {lines}, {reason}, session_user, pg_catalog.clock_timestamp())
ON CONFLICT (set_name, version) DO UPDATE SET evidence = excluded.evidence, lines = excluded.lines,
    reason = excluded.reason, login = excluded.login, approved_at = excluded.approved_at
