SELECT pg_catalog.string_agg(pg_catalog.format('SELECT pg_catalog.set_config(%L, %L, false); ', f.name, f.setting), '' ORDER BY f.place) AS found
FROM (
    SELECT 1 AS place, 'session_authorization' AS name, pg_catalog.current_setting('session_authorization') AS setting
    UNION ALL
    SELECT 2, 'role', pg_catalog.current_setting('role')
    UNION ALL
    SELECT 3, s.name, pg_catalog.current_setting(s.name) FROM pg_catalog.pg_settings s
    WHERE s.source = 'session' AND s.name NOT LIKE 'transaction\_%'
) f;
