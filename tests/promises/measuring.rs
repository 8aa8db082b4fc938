//! What an application's metrics hear, by the names that the book promises.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use sqlx::Executor;

use crate::harness::{Database, Folder, Heard};

/// Keeps every value that a metric ever had.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

impl Kept {
    fn of(&self, kind: &str, key: &Key) -> Arc<One> {
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let name = format!("{kind} {}{}", key.name(), labels.collect::<String>());
        Arc::new(One { kept: self.clone(), name })
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.0.lock().unwrap().get(name).cloned().unwrap_or_default()
    }
}

struct One {
    kept: Kept,
    name: String,
}

impl One {
    fn keep(&self, value: f64) {
        self.kept.0.lock().unwrap().entry(self.name.clone()).or_default().push(value);
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.keep(value as f64);
    }
    fn absolute(&self, value: u64) {
        self.keep(value as f64);
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.keep(value);
    }
    fn decrement(&self, value: f64) {
        self.keep(-value);
    }
    fn set(&self, value: f64) {
        self.keep(value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.keep(value);
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of("counter", key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of("gauge", key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of("histogram", key))
    }
}

#[tokio::test]
async fn metrics_have_the_names_of_the_book_and_the_values_of_the_run() {
    let kept = Kept::default();
    let _guard = metrics::set_default_local_recorder(&kept);
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (id int); CREATE TABLE u (id int)").await;
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a ();"),
        ("1_a.down.sql", "DROP TABLE a;"),
        ("2_b.sql", "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (id);"),
        ("2_b.down.sql", "DROP INDEX i;"),
        ("3_c.sql", "ALTER TABLE u ADD COLUMN c int;"),
        ("3_c.down.sql", "ALTER TABLE u DROP COLUMN c;"),
    ]);
    let mut writer = database.session("BEGIN; INSERT INTO t VALUES (1)").await;
    // Nothing is known of what is locked here, so that the lock is asked for in the queue and refused. Whoever has no
    // snapshot is not in the way of the build.
    let mut holder = database.session("BEGIN; LOCK TABLE u IN ACCESS SHARE MODE").await;
    let heard = Heard::default();
    let (migrator, options) = (folder.migrator().observer(heard.clone()), database.options());
    let steps = async {
        heard.wait_for("working 1").await;
        writer.execute("COMMIT").await.unwrap();
        heard.wait_for("retrying 3").await;
        holder.execute("COMMIT").await.unwrap();
    };
    let (done, ()) = tokio::join!(migrator.run(&options), steps);
    done.unwrap();
    migrator.revert(&options, None).await.unwrap();
    folder.write("4_d.sql", "SELECT 1 / 0;");
    folder.migrator().run(&options).await.unwrap_err();

    assert_eq!(kept.values("counter migrate_applied_total direction=up").len(), 6);
    assert_eq!(kept.values("counter migrate_applied_total direction=down").len(), 3);
    assert_eq!(kept.values("histogram migrate_migration_seconds direction=down").len(), 3);
    assert_eq!(kept.values("counter migrate_failed_total sqlstate=22012"), [1.0]);
    assert!(!kept.values("counter migrate_retries_total sqlstate=55P03").is_empty());
    assert_eq!(kept.values("gauge migrate_progress_ratio").first(), Some(&0.0));
    assert_eq!(kept.values("gauge migrate_waiting_sessions").last(), Some(&0.0));

    let book = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/watching.md"))
        .unwrap();
    let rows = book.lines().filter_map(|line| line.strip_prefix("| `migrate_"));
    let promised: Vec<String> = rows
        .map(|row| {
            let mut cells = row.split(" | ");
            let name = cells.next().unwrap().trim_end_matches('`');
            format!("{} migrate_{name}", cells.next().unwrap())
        })
        .collect();
    assert_eq!(promised.len(), 9, "{promised:?}");
    let all: Vec<String> = kept.0.lock().unwrap().keys().cloned().collect();
    for name in &all {
        let known = name.split(' ').take(2).collect::<Vec<_>>().join(" ");
        assert!(promised.contains(&known), "{name} is not in the book");
    }
}
