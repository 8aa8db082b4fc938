//! Partitions, and tables that inherit from another.

use crate::case::{Case, NEWER, ONLY, ROWS, case};

pub const CASES: &[Case] = &[
    case("ALTER TABLE parts ATTACH PARTITION spare FOR VALUES FROM (200) TO (300)"),
    case("ALTER TABLE parts ATTACH PARTITION proven FOR VALUES FROM (300) TO (400)"),
    case("ALTER TABLE parts ATTACH PARTITION indexed FOR VALUES FROM (300) TO (400)"),
    case("ALTER TABLE parts ATTACH PARTITION indexed FOR VALUES FROM (300) TO (350)")
        .differs_always("which values a check allows is not read"),
    case("ALTER TABLE days ATTACH PARTITION dog FOR VALUES FROM (2000) TO (3000)"),
    case("ALTER TABLE parts DETACH PARTITION part1"),
    case("ALTER TABLE days DETACH PARTITION day1").differs_before(14, NEWER),
    case("ALTER TABLE parts DETACH PARTITION part1 CONCURRENTLY")
        .since(14)
        .behind("LOCK TABLE part1 IN ACCESS SHARE MODE"),
    case("CREATE TABLE x PARTITION OF parts FOR VALUES FROM (500) TO (600)"),
    case("CREATE TABLE x PARTITION OF days FOR VALUES FROM (2000) TO (3000)"),
    case("CREATE TABLE x PARTITION OF parts DEFAULT"),
    case("CREATE TABLE x (LIKE parts INCLUDING ALL)"),
    case("DROP TABLE part1"),
    case("DROP TABLE day1"),
    case("ALTER TABLE parts ALTER COLUMN a SET STATISTICS 5, ADD COLUMN x int"),
    case("ALTER TABLE animal ALTER COLUMN a SET STATISTICS 5, SET (fillfactor = 50)"),
    case("CREATE INDEX ON animal (a)"),
    case("CREATE TRIGGER x AFTER INSERT ON animal FOR EACH ROW EXECUTE FUNCTION touch()"),
    case("LOCK TABLE animal IN SHARE MODE"),
    case("UPDATE animal SET a = 'b'"),
    case("SELECT * FROM parts FOR UPDATE"),
    case("DROP TABLE parts"),
    case("DROP TABLE days"),
    case("ALTER TABLE part1 RENAME TO b"),
    case("ALTER TABLE parts RENAME TO b"),
    case("ALTER TABLE part1 ADD CHECK (id < 100) NOT VALID"),
    case("ALTER INDEX parts_a RENAME TO b"),
    case("CREATE TABLE x (n int) INHERITS (animal)"),
    case("ALTER TABLE dog INHERIT animal"),
    case("ALTER TABLE cat NO INHERIT animal"),
    case("DROP TABLE cat"),
    case("DROP TABLE animal CASCADE"),
    case("SELECT * FROM parts"),
    case("SELECT * FROM animal"),
    case("SELECT * FROM ONLY animal").differs_always(ONLY),
    case("INSERT INTO parts VALUES (5, 'a', 5)").differs_always(ROWS),
    case("UPDATE parts SET n = 2"),
    case("DELETE FROM parts"),
    case("DELETE FROM ONLY animal").differs_always(ONLY),
    case("DELETE FROM part1"),
];
