SELECT s.version, s.description, s.success, pg_catalog.encode(s.checksum, 'hex') AS checksum,
    CASE WHEN pg_catalog.isfinite(s.installed_on)
        THEN pg_catalog.to_char(s.installed_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        ELSE s.installed_on::text
    END AS at
FROM {sqlx} s ORDER BY s.version
