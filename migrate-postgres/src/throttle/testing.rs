//! A server where nothing happens, for the tests of what is decided on signals.

use std::time::Duration;

use super::signals::{Horizon, Signal, Signals, Wal};

pub(super) fn quiet() -> Signals {
    let wal = Wal { written: 0, max_wal_size: 1 << 30, requested: 0, requested_since: false };
    Signals {
        now: Duration::from_secs(1_000_000),
        minute: 0,
        role: "app".to_owned(),
        standby: false,
        wal,
        active: Signal::Known(0),
        blocked: 0,
        replicas: Vec::new(),
        slot: None,
        slot_keep: None,
        unarchived: 0,
        horizon: Horizon::default(),
        vacuum: None,
        dead: None,
    }
}
