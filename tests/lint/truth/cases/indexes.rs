//! Indexes.

use crate::case::{Case, case};

pub const CASES: &[Case] = &[
    case("CREATE INDEX ON t (n)"),
    case("CREATE UNIQUE INDEX ON t (n)"),
    case("CREATE INDEX ON t (lower(a)) WHERE n > 1"),
    case("CREATE INDEX IF NOT EXISTS t_a ON t (a)"),
    case("CREATE INDEX ON m (n)"),
    case("CREATE INDEX ON parts (n)"),
    case("CREATE INDEX ON ONLY parts (n)"),
    case("CREATE INDEX ON s.x (id)"),
    case("CREATE INDEX CONCURRENTLY t_new ON t (n)").behind("LOCK TABLE t IN ROW EXCLUSIVE MODE"),
    case("CREATE INDEX CONCURRENTLY m_new ON m (n)")
        .behind("REFRESH MATERIALIZED VIEW CONCURRENTLY m"),
    case("DROP INDEX t_a"),
    case("DROP INDEX t_a, plain_id"),
    case("DROP INDEX m_id"),
    case("DROP INDEX parts_a"),
    case("DROP INDEX IF EXISTS absent"),
    case("DROP INDEX CONCURRENTLY t_a").behind("LOCK TABLE t IN ACCESS SHARE MODE"),
    case("ALTER INDEX t_a RENAME TO b"),
    case("ALTER TABLE t_a RENAME TO b"),
    case("ALTER INDEX t_a SET (fillfactor = 50)"),
    case("ALTER INDEX t_a RESET (fillfactor)"),
    case("ALTER INDEX t_a SET TABLESPACE elsewhere"),
    case("ALTER INDEX parts_a ATTACH PARTITION part1_a_idx")
        .differs_always("which index becomes a part of another is not read"),
    case("REINDEX INDEX t_a"),
    case("REINDEX TABLE t"),
    case("REINDEX TABLE m"),
    case("REINDEX INDEX CONCURRENTLY t_a").behind("LOCK TABLE t IN ROW EXCLUSIVE MODE"),
    case("REINDEX TABLE CONCURRENTLY t").behind("LOCK TABLE t IN ROW EXCLUSIVE MODE"),
    case("REINDEX SCHEMA s")
        .behind("LOCK TABLE s.x IN ROW EXCLUSIVE MODE")
        .differs_always("which relations a schema or a database has is not said"),
    case("REINDEX TABLE parts")
        .since(14)
        .behind("LOCK TABLE part1 IN ROW EXCLUSIVE MODE")
        .differs_always("one part comes after the other, each in a transaction of its own"),
];
