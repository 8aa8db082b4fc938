-- migrate: allow(drop_column) because the load never reads it
ALTER TABLE accounts DROP COLUMN fax;
