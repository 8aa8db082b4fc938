CREATE TABLE workers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
INSERT INTO workers (name) VALUES ('first');
