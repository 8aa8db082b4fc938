SELECT pg_catalog.set_config(s.name, coalesce(s.reset_val, ''), true) FROM pg_catalog.pg_settings s
WHERE s.source = 'session' AND s.name NOT LIKE 'transaction\_%' AND s.name <> 'application_name';
