//! The rules.
//!
//! A rule is a value: its name, why, what to write instead, an example that it finds, one that it does not, and
//! the check. One file each; to add one, write the file and a line here. The page of rules, `explain` and the
//! tests are made of the same values.

macro_rules! rules {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+
        /// All of them. Where two find the same thing in a statement, the first speaks.
        static RULES: &[&Rule] = &[$(&$name::RULE),+];
    };
}

mod open;
mod situation;
#[cfg(test)]
mod tests;
mod union;

rules! {
    syntax_error,
    runner_table,
    session_reset,
    duplicate_column,
    missing_object,
    existing_object,
    needed_object,
    drop_table,
    drop_object,
    drop_column,
    drop_column_takes_along,
    drop_default,
    drop_not_null,
    drop_constraint,
    rename,
    truncate,
    add_column_rewrites,
    add_not_null_column,
    json_column,
    change_type,
    type_recheck,
    move_table,
    set_not_null,
    primary_key_of_nullable,
    add_foreign_key,
    unindexed_foreign_key,
    add_check,
    check_before_backfill,
    validate_at_once,
    validate_under_lock,
    add_unique,
    add_exclusion,
    domain_constraint,
    create_index,
    unnamed_concurrent_index,
    drop_index,
    index_gap,
    reindex,
    refresh_view,
    vacuum_full,
    attach_partition,
    detach_partition,
    create_partition,
    bulk_write,
    backfill_repeats,
    index_before_backfill,
    disable_trigger,
    enum_value_in_use,
    unbounded_wait,
    long_identifier,
    several_foreign_keys,
    work_under_lock,
    schema_and_data,
    write_restriction,
    not_understood,
    add_column,
    contract_alone,
    enum_value_order,
    int_key,
    serial_column,
    char_column,
    varchar_column,
    timestamp_column,
    money_column,
    foreign_key_type,
    no_primary_key,
    hash_index,
    wide_index,
    enum_type,
    untrusted_extension,
    unqualified_name,
    unnamed_constraint,
    down_leaves_traces,
    bad_allow,
    unused_allow,
}

pub use situation::Situation;
pub use union::{Covered, Part, UNION};

pub(crate) use open::{Open, many};

use migrate_core::nearest;

use crate::finding::Level;
use crate::fix::Remedy;
use crate::schema::{Clash, Difference};

/// A rule.
pub struct Rule {
    /// What it is called in `allow(…)`.
    pub name: &'static str,
    /// What it does to a build unless the project says otherwise.
    pub level: Level,
    /// What it finds, as a fragment.
    pub finds: &'static str,
    /// Which lock, for how long, who suffers; or why it fails.
    pub why: &'static str,
    /// What to do, in general.
    pub instead: &'static str,
    /// Files in which it finds something, once.
    pub bad: Example,
    /// The same change without that.
    pub good: Example,
    /// How it finds it.
    pub(crate) check: Check,
}

impl Rule {
    /// May what it finds be allowed by a directive?
    pub fn can_be_allowed(&self) -> bool {
        !matches!(self.check, Check::Reading)
    }
}

/// A folder of migrations: names and texts of its files.
pub type Example = &'static [(&'static str, &'static str)];

/// What a rule looks at.
pub(crate) enum Check {
    /// A statement on its way forward, before it is applied.
    Statement(fn(&Situation<'_>) -> Vec<Hit>),
    /// The same, where no other rule has found anything: what is harmless by itself and not where it stands.
    Surroundings(fn(&Situation<'_>) -> Vec<Hit>),
    /// Why a statement would fail, forward or back.
    Clash(fn(&Clash) -> Option<Hit>),
    /// What a way back leaves.
    Differences(fn(&[Difference]) -> Option<Hit>),
    /// Whoever reads the file finds it.
    Reading,
}

/// Something that a rule finds in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The column, constraint or table that it is about: of several rules, one speaks of each.
    pub about: Box<str>,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What to write instead, for this statement.
    pub instead: String,
    /// A word of the statement that the caret points at.
    pub word: Option<Box<str>>,
    /// What to write in place of the statement, where nobody has to think about it.
    pub remedy: Option<Remedy>,
}

impl Hit {
    pub(crate) fn new(about: &str, message: impl Into<String>, instead: impl Into<String>) -> Self {
        let (message, instead) = (message.into(), instead.into());
        Self { about: about.into(), message, instead, word: None, remedy: None }
    }

    /// Says what to write in place of the statement, if that is known.
    pub(crate) fn or(mut self, remedy: Option<Remedy>) -> Self {
        self.remedy = remedy;
        self
    }

    /// Points at the first place where a word stands.
    pub(crate) fn at(mut self, word: &str) -> Self {
        self.word = Some(word.into());
        self
    }
}

/// All rules, the most specific first.
pub fn all() -> &'static [&'static Rule] {
    RULES
}

/// The rule of a name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// What to do about a name that no rule has.
pub(crate) fn meant(name: &str) -> String {
    match nearest(name, RULES.iter().map(|rule| rule.name)) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => "Remove it.".to_owned(),
    }
}
