CASE WHEN pg_catalog.pg_try_advisory_xact_lock({key}) THEN {seq} END
