-- migrate: allow(rename) because the load never names it
ALTER TABLE accounts RENAME COLUMN owner TO holder;
