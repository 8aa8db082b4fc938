//! The tables that are filled, and how. Only data.

use crate::operation::Key;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) is_partitioned: bool,
    pub(crate) migration: &'static str,
    /// The first major version that can do it.
    pub(crate) since: u32,
}

/// Rows of a table when a round begins.
const ROWS: i64 = 1_200;

pub(crate) const ALL: [Shape; 5] = [
    Shape {
        name: "keyset",
        is_partitioned: false,
        migration: "-- migrate: backfill t by id batch 50\n\
            UPDATE t SET new = 'n:' || old, n = n + 1 WHERE :batch AND new IS DISTINCT FROM 'n:' || old;",
        since: 13,
    },
    Shape {
        name: "pages",
        is_partitioned: false,
        migration: "-- migrate: backfill t by ctid batch 50\n\
            UPDATE t SET new = 'n:' || old, n = n + 1 WHERE :batch AND new IS DISTINCT FROM 'n:' || old;",
        since: 14,
    },
    Shape {
        name: "striped",
        is_partitioned: false,
        migration: "-- migrate: backfill t by ctid stripes 4 batch 50\n\
            UPDATE t SET new = 'n:' || old, n = n + 1 WHERE :batch AND new IS DISTINCT FROM 'n:' || old;",
        since: 14,
    },
    Shape {
        name: "partitioned",
        is_partitioned: true,
        migration: "-- migrate: backfill t by id, k batch 50\n\
            UPDATE :table SET new = 'n:' || old, n = n + 1 WHERE :batch AND new IS DISTINCT FROM 'n:' || old;",
        since: 13,
    },
    Shape {
        name: "keyset, from a subquery",
        is_partitioned: false,
        migration: "-- migrate: backfill t by id batch 50\n\
            UPDATE t SET new = s.x, n = t.n + 1 FROM (SELECT id, 'n:' || old AS x FROM t WHERE :batch OFFSET 0) s \
            WHERE t.id = s.id AND t.new IS DISTINCT FROM s.x;",
        since: 13,
    },
];

const SYNC: &str = "CREATE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE oc bool; nc bool; BEGIN
        IF TG_OP = 'INSERT' THEN oc := NEW.old IS NOT NULL; nc := NEW.new IS NOT NULL;
        ELSE oc := NEW.old IS DISTINCT FROM OLD.old; nc := NEW.new IS DISTINCT FROM OLD.new; END IF;
        IF nc THEN IF 'n:' || NEW.old IS DISTINCT FROM NEW.new THEN NEW.old := substr(NEW.new, 3); END IF;
        ELSIF oc THEN NEW.new := 'n:' || NEW.old;
        ELSIF NEW.new IS NULL AND NEW.old IS NOT NULL THEN NEW.new := 'n:' || NEW.old; END IF;
        RETURN NEW; END $$;
    CREATE TRIGGER \"~sync\" BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION sync()";

/// The rows that there are when a round begins, and what is in them.
pub(crate) fn first_rows() -> impl Iterator<Item = (Key, Option<String>)> {
    (0..ROWS).map(|id| ((id, 1 + id % 2), (id % 7 > 0).then(|| format!("row {id}"))))
}

impl Shape {
    /// A table of which nothing is filled. Its rows are wide enough for many pages.
    pub(crate) fn table(self) -> String {
        let (part, parts) = match self.is_partitioned {
            true => (
                " PARTITION BY LIST (k)",
                "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2);",
            ),
            false => ("", ""),
        };
        let key = self.key();
        format!(
            "CREATE TABLE t (id bigint, k int NOT NULL, old text, new text, n int NOT NULL DEFAULT 0,
                 wide text NOT NULL DEFAULT repeat('x', 150), PRIMARY KEY ({key})){part}; {parts}
             INSERT INTO t (id, k, old) SELECT g, 1 + g % 2, CASE WHEN g % 7 > 0 THEN 'row ' || g END
                 FROM generate_series(0, {ROWS} - 1) g;
             ANALYZE t; {SYNC}"
        )
    }

    pub(crate) fn key(self) -> &'static str {
        if self.is_partitioned { "id, k" } else { "id" }
    }
}
