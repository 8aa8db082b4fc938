//! An observer that keeps what it hears.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use migrate_postgres::{Event, Observer};

/// Every event so far, as its `Debug` shows it. Clones hear and keep the same.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Observer for Heard {
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

impl Heard {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn with(&self, words: &str) -> Vec<String> {
        self.all().into_iter().filter(|event| event.contains(words)).collect()
    }

    /// Waits for an event with these words.
    pub async fn wait_for(&self, words: &str) -> String {
        for _ in 0..6000 {
            if let Some(event) = self.with(words).pop() {
                return event;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never heard `{words}`, but {:#?}", self.all());
    }
}
