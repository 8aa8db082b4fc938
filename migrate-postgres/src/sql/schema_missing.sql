SELECT pg_catalog.to_regnamespace(pg_catalog.quote_ident({schema})) IS NULL AS missing
