SELECT pg_catalog.to_regclass({relation}) IS NULL AS gone
