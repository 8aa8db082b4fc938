GRANT USAGE ON SCHEMA {schema_ident} TO {role};
GRANT SELECT ON {history}, {settled} TO {role};
