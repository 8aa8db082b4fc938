//! The traps of a change of data beside an application that goes on writing: what would be lost, and is not.
//!
//! Old code writes `old`, new code writes `new`, and a trigger keeps the two together; `new` is to be `n:` and `old`. A
//! worker has done its first batch of ten and waits; then others write, behind its place and ahead of it; then it goes on.

use super::{Database, at_its_first_batch, folder, old_server, table};

mod rows;
mod schema;
mod sessions;
mod standby;

/// What both columns are kept together with; it only assigns, so that it ends. Of its name it sorts last.
const SYNC: &str = "CREATE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE oc bool; nc bool; BEGIN
        IF TG_OP = 'INSERT' THEN oc := NEW.old IS NOT NULL; nc := NEW.new IS NOT NULL;
        ELSE oc := NEW.old IS DISTINCT FROM OLD.old; nc := NEW.new IS DISTINCT FROM OLD.new; END IF;
        IF nc THEN IF 'n:' || NEW.old IS DISTINCT FROM NEW.new THEN NEW.old := substr(NEW.new, 3); END IF;
        ELSIF oc THEN NEW.new := 'n:' || NEW.old;
        ELSIF NEW.new IS NULL AND NEW.old IS NOT NULL THEN NEW.new := 'n:' || NEW.old; END IF;
        RETURN NEW; END $$;
    CREATE TRIGGER \"~sync\" BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION sync()";

const FILL: &str =
    "UPDATE t SET new = 'n:' || old, n = n + 1 WHERE :batch AND new IS DISTINCT FROM 'n:' || old";

/// A table of which nothing is filled, with the trigger.
async fn synced() -> Database {
    let database = table(1_000).await;
    database.run(SYNC).await;
    database
}

/// The ways that this server knows.
async fn ways() -> Vec<&'static str> {
    let by_page = ["backfill t by ctid batch 100", "backfill t by ctid stripes 4 batch 100"];
    let by_page = if old_server().await { &[][..] } else { &by_page };
    [&["backfill t by id batch 100"], by_page].concat()
}

/// Fills it, and does this when the first batch is done.
async fn fill_and_meanwhile(database: &Database, directive: &str, sql: &str) {
    let migrator = folder(directive, FILL).migrator();
    let (gate, filling) = at_its_first_batch(&migrator, database).await;
    database.run(sql).await;
    gate.open();
    filling.join().expect("no panic").expect("filled");
}

/// Every row is as it should be, and none was changed twice by the filling.
async fn is_in_step(database: &Database) {
    is_right(database).await;
    assert_eq!(database.value("SELECT count(*) FROM t WHERE n > 1").await, "0", "filled twice");
}

async fn is_right(database: &Database) {
    let wrong = "SELECT count(*) FROM t WHERE new IS DISTINCT FROM 'n:' || old";
    assert_eq!(database.value(wrong).await, "0", "rows that are not filled");
}
