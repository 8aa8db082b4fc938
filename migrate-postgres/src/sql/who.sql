SELECT pg_catalog.quote_ident(current_user) AS who
