//! The fixed list of runs.
//!
//! Only data. Nothing in it bears to be done twice: a counter counts, a column is added, a row comes a second time.

use migrate_postgres::Resolution;

use crate::run::{Act, Code, Files, PLAIN, Run, Seed, Truth};

/// A role that owns what is made.
pub(crate) const OWNER: &str = "crash_owner";

const FIRST: (&str, &str) = (
    "1_first.sql",
    "CREATE TABLE entry (n int, word text);
     INSERT INTO entry SELECT n, 'word ' || n FROM generate_series(1, 5) n;
     CREATE INDEX entry_old ON entry (n);
     CREATE INDEX entry_again ON entry (word);
     ALTER TABLE entry ADD CONSTRAINT entry_positive CHECK (n > 0) NOT VALID;
     CREATE TYPE mood AS ENUM ('calm');
     CREATE TABLE whole (n int) PARTITION BY RANGE (n);
     CREATE TABLE part PARTITION OF whole FOR VALUES FROM (1) TO (10);
     CREATE TABLE rest PARTITION OF whole FOR VALUES FROM (10) TO (20);
     CREATE TABLE counter (n int);
     INSERT INTO counter VALUES (0);",
);
const IN_USE: &[Seed] = &[Seed::Applied(&[FIRST])];

const TRANSACTIONS: Files = &[
    FIRST,
    ("2_count.sql", "UPDATE counter SET n = n + 1;"),
    ("2_count.down.sql", "UPDATE counter SET n = n - 1;"),
    ("3_column.sql", "ALTER TABLE entry ADD COLUMN added int NOT NULL DEFAULT 3;"),
    (
        "3_column.down.sql",
        "ALTER TABLE entry DROP COLUMN added; INSERT INTO entry VALUES (99, 'back');",
    ),
    (
        "4_row.sql",
        "INSERT INTO entry (n, word) VALUES (444, 'four'); UPDATE counter SET n = n + 10;",
    ),
    ("4_row.down.sql", "UPDATE counter SET n = n - 10;"),
    ("5_table.sql", "CREATE TABLE five (n int PRIMARY KEY); INSERT INTO five VALUES (5);"),
    ("5_table.down.sql", "DROP TABLE five;"),
];

const STANDALONE: Files = &[
    FIRST,
    (
        "2_outside.sql",
        "-- migrate: no-transaction
         CREATE INDEX CONCURRENTLY entry_word ON entry (word);
         CREATE UNIQUE INDEX CONCURRENTLY entry_n_key ON entry (n);
         DROP INDEX CONCURRENTLY entry_old;
         REINDEX INDEX CONCURRENTLY entry_again;
         VACUUM entry;
         UPDATE counter SET n = n + 1;
         INSERT INTO entry VALUES (222, 'two');
         ALTER TYPE mood ADD VALUE 'glad';
         ALTER TABLE entry VALIDATE CONSTRAINT entry_positive;
         ALTER TABLE entry ADD COLUMN added int;",
    ),
    (
        "2_outside.down.sql",
        "-- migrate: no-transaction
         DROP INDEX CONCURRENTLY entry_word;
         CREATE INDEX CONCURRENTLY entry_old ON entry (n);
         UPDATE counter SET n = n + 10;
         ALTER TABLE entry DROP COLUMN added;",
    ),
    ("3_inside.sql", "UPDATE counter SET n = n + 100;"),
    ("3_inside.down.sql", "UPDATE counter SET n = n + 1000;"),
];

/// What REINDEX leaves behind when it is cut short is a broken index with a name of its own.
const HALF_AN_INDEX: &str = "SELECT format('DROP INDEX CONCURRENTLY %s', indexrelid::regclass) AS line \
     FROM pg_index WHERE indrelid = 'entry'::regclass AND indexrelid::regclass::text ~ '_cc(new|old)'";
const HALF_DETACHED: &str = "SELECT format('ALTER TABLE whole DETACH PARTITION %s FINALIZE', i.inhrelid::regclass) AS line \
     FROM pg_inherits i WHERE i.inhparent = 'whole'::regclass AND to_jsonb(i) ->> 'inhdetachpending' = 'true'";
const HAS_ADDED: &str = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'entry'::regclass AND attname = 'added' \
     AND NOT attisdropped)";
const LACKS_ADDED: &str = "SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'entry'::regclass AND attname = 'added' \
     AND NOT attisdropped)";

const OUTSIDE: &[Truth] = &[
    // Whether the index is the old one or the new one nobody can see; to build it once more does no harm.
    Truth::up(2, 4, "SELECT false").or_debris(HALF_AN_INDEX),
    Truth::up(2, 6, "SELECT n % 10 = 1 FROM counter"),
    Truth::up(2, 7, "SELECT EXISTS (SELECT FROM entry WHERE n = 222)"),
    Truth::up(2, 8, "SELECT EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'glad')"),
    Truth::up(2, 9, "SELECT convalidated FROM pg_constraint WHERE conname = 'entry_positive'"),
    Truth::up(2, 10, HAS_ADDED),
    Truth::down(2, 3, "SELECT n / 10 % 10 = 1 FROM counter"),
    Truth::down(2, 4, LACKS_ADDED),
];

const DETACH: Files = &[
    FIRST,
    (
        "2_detach.sql",
        "-- migrate: no-transaction
         ALTER TABLE whole DETACH PARTITION part CONCURRENTLY;
         UPDATE counter SET n = n + 1;",
    ),
];
const DETACHED: &[Truth] = &[
    Truth::up(
        2,
        1,
        "SELECT NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'part'::regclass)",
    )
    .or_debris(HALF_DETACHED),
    Truth::up(2, 2, "SELECT n = 1 FROM counter"),
];

const PHASES: Files = &[
    FIRST,
    ("2_name.expand.sql", "ALTER TABLE entry ADD COLUMN name text;"),
    (
        "2_name.migrate.sql",
        "UPDATE entry SET name = coalesce(name, '') || word; UPDATE counter SET n = n + 1;",
    ),
    ("2_name.contract.sql", "ALTER TABLE entry DROP COLUMN word;"),
    ("3_more.sql", "UPDATE counter SET n = n + 10;"),
];

/// The third uses a value of an enum in the transaction that adds it, which the server refuses.
const FALLING_BACK: Files = &[
    (
        "1_first.sql",
        "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0); CREATE TYPE mood AS ENUM ('calm');",
    ),
    ("2_glad.sql", "ALTER TYPE mood ADD VALUE 'glad';"),
    (
        "3_use.sql",
        "CREATE TABLE felt (m mood); INSERT INTO felt VALUES ('glad'); UPDATE counter SET n = n + 1;",
    ),
    ("4_count.sql", "UPDATE counter SET n = n + 10;"),
];

const EDITED: Files = &[
    FIRST,
    ("2_count.sql", "UPDATE counter SET n = n + 2;"),
    ("3_column.sql", "ALTER TABLE entry ADD COLUMN added int DEFAULT 4;"),
    (
        "4_row.sql",
        "INSERT INTO entry (n, word) VALUES (444, 'four'); UPDATE counter SET n = n + 10;",
    ),
    ("5_table.sql", "CREATE TABLE five (n int PRIMARY KEY); INSERT INTO five VALUES (5);"),
];

const CODE: Files = &[
    FIRST,
    ("2_count.sql", "UPDATE counter SET n = n + 10;"),
    ("4_count.sql", "UPDATE counter SET n = n + 100;"),
];

/// What a block commits by itself cannot be in one transaction with its row.
const SHORT: Files = &[
    FIRST,
    (
        "2_outside.sql",
        "-- migrate: no-transaction
         DO $$ BEGIN UPDATE counter SET n = n + 1; COMMIT; END $$;
         INSERT INTO entry VALUES (222, 'two');",
    ),
];
const COUNTED: &[Truth] = &[
    Truth::up(2, 1, "SELECT n = 1 FROM counter"),
    Truth::up(2, 2, "SELECT EXISTS (SELECT FROM entry WHERE n = 222)"),
];
/// A person says that it is to be done again who has taken back what it did.
const CUT_SHORT: Seed = Seed::CutShort(SHORT, "*/ DO");
const TAKEN_BACK: Seed = Seed::Sql("UPDATE counter SET n = 0");

const OWNED: Files = &[
    ("1_table.sql", "CREATE TABLE owned (n int); INSERT INTO owned VALUES (1);"),
    ("2_count.sql", "UPDATE owned SET n = n + 1;"),
    (
        "3_outside.sql",
        "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY owned_n ON owned (n);",
    ),
];

const OF_SQLX: Files = &[
    ("1_counter.sql", "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)"),
    ("2_count.sql", "UPDATE counter SET n = n + 1"),
];

/// Five rows and a counter in each, that shows how often it was changed.
const FILLED: (&str, &str) = (
    "1_filled.sql",
    "CREATE TABLE filled (id int PRIMARY KEY, old text, new text, n int NOT NULL DEFAULT 0);
     INSERT INTO filled (id, old) SELECT g, 'row ' || g FROM generate_series(1, 5) g;",
);
const BY_KEY: Files = &[
    FILLED,
    (
        "2_fill.migrate.sql",
        "-- migrate: backfill filled by id batch 3
         UPDATE filled SET new = upper(old), n = n + 1 WHERE :batch AND new IS DISTINCT FROM upper(old);",
    ),
];
/// Where no later batch has anything to change, nobody comes again for one whose place was noted without its rows.
const ALL_BUT_THE_FIRST: Seed = Seed::Sql("UPDATE filled SET new = upper(old), n = 1 WHERE id > 3");
/// One of them is locked for whoever asks first: a trigger says so, and remembers that in a sequence, beside all
/// transactions.
const ONCE_LOCKED: Seed = Seed::Sql(
    "CREATE SEQUENCE asked;
     CREATE FUNCTION once_locked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('asked') = 1 THEN RAISE EXCEPTION 'locked' USING ERRCODE = '55P03'; END IF; RETURN NEW; END $$;
     CREATE TRIGGER once_locked BEFORE UPDATE ON filled FOR EACH ROW WHEN (OLD.id = 3) EXECUTE FUNCTION once_locked();",
);
/// Wide rows, four to a page.
const WIDE: (&str, &str) = (
    "1_filled.sql",
    "CREATE TABLE filled (id int PRIMARY KEY, old text, new text, n int NOT NULL DEFAULT 0);
     INSERT INTO filled (id, old) SELECT g, repeat('x', 1800) FROM generate_series(1, 12) g;
     ANALYZE filled;",
);
const STRIPED: Files = &[
    WIDE,
    (
        "2_fill.migrate.sql",
        "-- migrate: backfill filled by ctid stripes 2 batch 6
         UPDATE filled SET new = 'new', n = n + 1 WHERE :batch AND new IS DISTINCT FROM 'new';",
    ),
];

pub(crate) const ALL: &[Run] = &[
    Run { name: "transactions", seed: IN_USE, files: TRANSACTIONS, ..PLAIN },
    Run { name: "fresh", files: TRANSACTIONS, ..PLAIN },
    Run { name: "fallback", files: FALLING_BACK, ..PLAIN },
    Run { name: "one", seed: IN_USE, files: &[FIRST, TRANSACTIONS_1], pooled: true, ..PLAIN },
    Run { name: "standalone", seed: IN_USE, files: STANDALONE, truths: OUTSIDE, ..PLAIN },
    Run { name: "detach", seed: IN_USE, files: DETACH, truths: DETACHED, since: 14, ..PLAIN },
    Run { name: "phases", seed: IN_USE, files: PHASES, act: Act::RunAllPhases, ..PLAIN },
    Run {
        name: "revert",
        seed: &[Seed::Applied(TRANSACTIONS)],
        files: TRANSACTIONS,
        act: Act::RevertTo(1),
        ..PLAIN
    },
    Run {
        name: "revert-standalone",
        seed: &[Seed::Applied(STANDALONE)],
        files: STANDALONE,
        act: Act::RevertTo(1),
        truths: OUTSIDE,
        ..PLAIN
    },
    Run {
        name: "repair",
        seed: &[Seed::Applied(TRANSACTIONS)],
        files: EDITED,
        act: Act::Repair,
        ..PLAIN
    },
    Run {
        name: "baseline",
        seed: &[Seed::Sql(FIRST.1)],
        files: TRANSACTIONS,
        act: Act::Baseline(3),
        ..PLAIN
    },
    Run { name: "mark", seed: IN_USE, files: TRANSACTIONS, act: Act::Mark(2), ..PLAIN },
    Run {
        name: "resolve-done",
        seed: &[Seed::Applied(&[FIRST]), CUT_SHORT],
        files: SHORT,
        act: Act::Resolve(2, Resolution::Done),
        truths: COUNTED,
        ..PLAIN
    },
    Run {
        name: "resolve-redo",
        seed: &[Seed::Applied(&[FIRST]), CUT_SHORT, TAKEN_BACK],
        files: SHORT,
        act: Act::Resolve(2, Resolution::Redo),
        truths: COUNTED,
        ..PLAIN
    },
    Run { name: "code", seed: IN_USE, files: CODE, code: Some(Code::Inside), ..PLAIN },
    Run {
        name: "code-outside",
        seed: IN_USE,
        files: CODE,
        code: Some(Code::Outside),
        truths: &[Truth::up(3, 1, "SELECT n % 10 = 1 FROM counter")],
        ..PLAIN
    },
    Run { name: "role", files: OWNED, seed: &[OWNERS_SCHEMA], role: Some(OWNER), ..PLAIN },
    Run {
        name: "backfill",
        seed: &[Seed::Applied(&[FILLED]), ONCE_LOCKED],
        files: BY_KEY,
        act: Act::Backfill,
        ..PLAIN
    },
    Run {
        name: "backfill-in-a-run",
        seed: &[Seed::Applied(&[FILLED]), ALL_BUT_THE_FIRST],
        files: BY_KEY,
        ..PLAIN
    },
    Run {
        name: "backfill-striped",
        seed: &[Seed::Applied(&[WIDE])],
        files: STRIPED,
        act: Act::Backfill,
        since: 14,
        ..PLAIN
    },
    Run { name: "adopt", seed: &[Seed::Sqlx(OF_SQLX)], files: OF_SQLX, act: Act::Adopt, ..PLAIN },
];

const TRANSACTIONS_1: (&str, &str) = ("2_count.sql", "UPDATE counter SET n = n + 1;");
const OWNERS_SCHEMA: Seed = Seed::Sql("GRANT ALL ON SCHEMA public TO crash_owner");
