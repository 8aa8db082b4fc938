//! Small migrations for the tests of this crate.

use std::borrow::Cow;

use crate::{Checksum, Entry, MigrationId, Phase, Script, SqlMigration, Step, Version};

pub(crate) fn id(text: &str) -> MigrationId {
    let (version, phase) = text.split_once(' ').unwrap_or((text, "expand"));
    let (version, phase): (Version, Phase) = (version.parse().unwrap(), phase.parse().unwrap());
    MigrationId::new(version, phase)
}

pub(crate) fn sql(text: &str) -> SqlMigration {
    let id = id(text);
    let body = format!("select '{text}'");
    let script = |body: &str| Step::Transaction(Script::parse("f.sql", body.to_owned()).unwrap());
    SqlMigration {
        id,
        name: format!("m{}", id.version).into(),
        checksum: Checksum::of_sql(&body),
        up: script(&body),
        down: script("select 'down'").into(),
        after: Cow::Borrowed(&[]),
        lock_timeout: None,
    }
}

pub(crate) fn migration(text: &str) -> Entry {
    sql(text).into()
}

pub(crate) fn migration_after(text: &str, after: &str) -> Entry {
    SqlMigration { after: vec![id(after)].into(), ..sql(text) }.into()
}
