SELECT a.evidence, a.lines,
    pg_catalog.format('approved by %s on %s UTC: %s', a.login,
        pg_catalog.to_char(a.approved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), a.reason) AS by
FROM {approval} a WHERE a.set_name = {set} AND a.version = {version}
