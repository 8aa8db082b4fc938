CREATE SCHEMA {schema_ident};
