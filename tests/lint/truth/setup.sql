-- What the statements meet: a few rows everywhere, so that nothing is left out because there is none.
CREATE ROLE reader;
CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE SCHEMA s;

CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TYPE point2 AS (x int, y int);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN word AS text;
CREATE DOMAIN unused AS text;
CREATE DOMAIN later AS text;
ALTER DOMAIN later ADD CONSTRAINT short CHECK (length(VALUE) < 10) NOT VALID;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION restless() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION steady() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION fixed() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
CREATE SEQUENCE counter;

-- The other side of foreign keys.
CREATE TABLE p (id int PRIMARY KEY, a text, n int);
-- The one in the middle: it refers to p, and o refers to it.
CREATE TABLE t (
    id int PRIMARY KEY,
    a text,
    n int,
    nn int NOT NULL DEFAULT 0,
    g int CONSTRAINT given CHECK (g IS NOT NULL),
    p int CONSTRAINT t_p REFERENCES p,
    q int,
    d int DEFAULT 1
);
ALTER TABLE t ADD CONSTRAINT t_q FOREIGN KEY (q) REFERENCES p NOT VALID;
ALTER TABLE t ADD CONSTRAINT later CHECK (n > 0) NOT VALID;
CREATE INDEX t_a ON t (a);
CREATE UNIQUE INDEX t_n ON t (n);
ALTER TABLE t ADD CONSTRAINT t_d UNIQUE (d);
CREATE TRIGGER touches BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON t USING (true);
CREATE STATISTICS t_stats ON a, n FROM t;
CREATE TABLE o (id int PRIMARY KEY, t int REFERENCES t, CONSTRAINT o_small CHECK (id < 1000));

-- No key yet, and indexes to make one of.
CREATE TABLE k (id int, nn int NOT NULL, ck int CHECK (ck IS NOT NULL), a text);
CREATE UNIQUE INDEX k_id ON k (id);
CREATE UNIQUE INDEX k_nn ON k (nn);
CREATE UNIQUE INDEX k_ck ON k (ck);

-- Nothing is attached to it.
CREATE TABLE plain (id int, a text, n int);
CREATE INDEX plain_id ON plain (id);
CREATE TABLE numbered (id serial PRIMARY KEY, a text);
CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY, nn int NOT NULL, g int GENERATED ALWAYS AS (nn + 1) STORED);
CREATE UNLOGGED TABLE fast (id int);
CREATE TABLE s.x (id int);
CREATE TABLE typed OF point2;
CREATE RULE silent AS ON DELETE TO s.x DO INSTEAD NOTHING;

-- A column of each type.
CREATE TABLE ty (
    v varchar, v10 varchar(10), x text, c5 char(5), na name,
    i int, s smallint, b bigint, num numeric, num10 numeric(10, 2), f real, oi oid,
    ts timestamp, ts3 timestamp(3), tz timestamptz, tm time, iv interval, iv3 interval(3), da date,
    ci cidr, ip inet, vb varbit, vb5 varbit(5), b3 bit(3), xm xml, j json,
    m mood, w word, pos positive, arr int[], va varchar(10)[], se serial
);
-- The same with what has to be looked at again when a type changes.
CREATE TABLE ti (
    indexed varchar(10), checked varchar(10) CHECK (checked <> ''), moment timestamp, lowered varchar(10),
    chosen varchar(10), price numeric(10, 2) UNIQUE
);
CREATE INDEX ON ti (indexed);
CREATE INDEX ON ti (moment);
CREATE INDEX ON ti (lower(lowered));
CREATE INDEX ON ti (indexed) WHERE chosen IS NULL;
-- Foreign keys of columns whose type changes.
CREATE TABLE code (code varchar(10) PRIMARY KEY, n int UNIQUE);
CREATE TABLE coded (code varchar(10) CONSTRAINT coded_code REFERENCES code, n int CONSTRAINT coded_n REFERENCES code (n));
CREATE TABLE worded (w word, m mood, pos positive, l later);

CREATE VIEW v AS SELECT id, a FROM t;
CREATE VIEW w AS SELECT id FROM v;
CREATE MATERIALIZED VIEW m AS SELECT id, n FROM plain;
CREATE UNIQUE INDEX m_id ON m (id);

CREATE TABLE parts (id int, a text, n int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (1) TO (100);
CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
CREATE INDEX parts_a ON parts (a);
CREATE TRIGGER touches AFTER UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE spare (id int, a text, n int);
CREATE TABLE proven (id int, a text, n int, CHECK (id IS NOT NULL AND id >= 300 AND id < 400));
CREATE TABLE indexed (id int, a text, n int, CHECK (id IS NOT NULL AND id >= 300 AND id < 400));
CREATE INDEX ON indexed (a);
CREATE TABLE days (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
CREATE TABLE day1 PARTITION OF days FOR VALUES FROM (1) TO (100);
CREATE TABLE day_rest PARTITION OF days DEFAULT;
CREATE TABLE animal (id int, a text);
CREATE TABLE cat (lives int) INHERITS (animal);
CREATE TABLE dog (id int NOT NULL, a text);

CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE distant (id int, a text) SERVER far;
CREATE PUBLICATION news FOR TABLE t;
CREATE PROCEDURE clean() LANGUAGE sql AS 'DELETE FROM plain';
CREATE FUNCTION count_plain() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM plain';

INSERT INTO p SELECT i, 'p' || i, i FROM generate_series(1, 3) AS i;
INSERT INTO t (id, a, n, g, p, q, d) SELECT i, 't' || i, i, i, i, i, i FROM generate_series(1, 3) AS i;
INSERT INTO o SELECT i, i FROM generate_series(1, 3) AS i;
INSERT INTO k SELECT i, i, i, 'k' || i FROM generate_series(1, 3) AS i;
INSERT INTO plain SELECT i, 'a' || i, i FROM generate_series(1, 3) AS i;
INSERT INTO numbered (a) VALUES ('a');
INSERT INTO counted (nn) VALUES (1);
INSERT INTO fast VALUES (1);
INSERT INTO s.x VALUES (1);
INSERT INTO ty (v, x, i, pos) VALUES ('1', '1', 1, 1);
INSERT INTO ti (indexed, checked) VALUES ('a', 'a');
INSERT INTO code VALUES ('a', 1);
INSERT INTO coded VALUES ('a', 1);
INSERT INTO worded VALUES ('a', 'glad', 1, 'a');
INSERT INTO parts SELECT i, 'a' || i, i FROM generate_series(99, 101) AS i;
INSERT INTO spare SELECT i, 'a' || i, i FROM generate_series(200, 202) AS i;
INSERT INTO proven SELECT i, 'a' || i, i FROM generate_series(300, 302) AS i;
INSERT INTO indexed SELECT i, 'a' || i, i FROM generate_series(300, 302) AS i;
INSERT INTO days SELECT i, 'a' || i FROM generate_series(1, 3) AS i;
INSERT INTO days VALUES (1000, 'far');
INSERT INTO animal VALUES (1, 'a');
INSERT INTO cat VALUES (2, 'c', 9);
INSERT INTO dog VALUES (2003, 'd');
REFRESH MATERIALIZED VIEW m;
