//! What looks after tables.

use crate::case::{Case, NEWER, case};

pub const CASES: &[Case] = &[
    case("ANALYZE t"),
    case("ANALYZE parts"),
    case("ANALYZE animal").differs_before(18, NEWER),
    case("CLUSTER t USING t_a"),
    case("CLUSTER plain USING plain_id"),
    case("CLUSTER m USING m_id"),
    case("VACUUM t").behind("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"),
    case("VACUUM (ANALYZE) t").behind("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"),
    case("VACUUM FULL t").behind("LOCK TABLE t IN ACCESS SHARE MODE"),
    case("VACUUM (FULL, ANALYZE) t").behind("LOCK TABLE t IN ACCESS SHARE MODE"),
    case("VACUUM parts")
        .behind("LOCK TABLE part1 IN SHARE UPDATE EXCLUSIVE MODE")
        .differs_always("one part comes after the other, each in a transaction of its own"),
    case("VACUUM m").behind("REFRESH MATERIALIZED VIEW CONCURRENTLY m"),
];
