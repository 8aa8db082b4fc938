//! What a schema is made of.

use migrate_core::MigrationId;

use crate::statement::{Expression, Generated, ObjectKind, Persistence, Type};

/// A thing, whatever its name becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

impl Id {
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which statement made something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Birth {
    /// `None` for what was there before the first migration.
    pub migration: Option<MigrationId>,
    /// The statement's place in its file, from 0.
    pub statement: u32,
}

/// Things of one space have different names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Tables, views, indexes, sequences.
    Relation,
    /// Enums, domains, other types.
    Type,
    /// Functions and procedures; one entry for all of a name.
    Routine,
    /// Schemas.
    Schema,
    /// Extensions.
    Extension,
}

/// A full name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Among what it is unique.
    pub space: Space,
    /// Its schema; empty for what is in none.
    pub schema: Box<str>,
    /// Its name.
    pub name: Box<str>,
}

impl Key {
    pub(super) fn schema(name: &str) -> Self {
        Self { space: Space::Schema, schema: "".into(), name: name.into() }
    }
}

/// A thing with its name and its history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name now.
    pub key: Key,
    /// Where it comes from.
    pub born: Birth,
    /// How much was in doubt when it was last certain.
    pub(super) seen: u32,
    /// What it is.
    pub object: Object,
}

/// What a thing is.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    Table(Table),
    View(View),
    Index(Index),
    Sequence(Sequence),
    /// With its values.
    Enum(Vec<Box<str>>),
    Domain(Domain),
    /// A composite, range or base type.
    Type,
    Routine(Routine),
    Schema,
    Extension,
}

impl Object {
    /// PostgreSQL's word for it.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Object::Table(Table { kind: TableKind::Foreign, .. }) => ObjectKind::ForeignTable,
            Object::Table(_) => ObjectKind::Table,
            Object::View(View { materialized: true, .. }) => ObjectKind::MaterializedView,
            Object::View(_) => ObjectKind::View,
            Object::Index(_) => ObjectKind::Index,
            Object::Sequence(_) => ObjectKind::Sequence,
            Object::Enum(_) | Object::Type => ObjectKind::Type,
            Object::Domain(_) => ObjectKind::Domain,
            Object::Routine(_) => ObjectKind::Function,
            Object::Schema => ObjectKind::Schema,
            Object::Extension => ObjectKind::Extension,
        }
    }

    /// The table that it is.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Object::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Where its rows are.
    pub kind: TableKind,
    /// How long it lives.
    pub persistence: Persistence,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Are there others that no statement shows?
    pub has_more_columns: bool,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// Are there others that no statement shows?
    pub has_more_constraints: bool,
    /// Its indexes, those of constraints too.
    pub indexes: Vec<Id>,
    /// The sequences that go with its columns.
    pub sequences: Vec<Id>,
    /// Triggers, policies and rules.
    pub attached: Vec<Attached>,
    /// May one of them have another name by now?
    pub has_more_attached: bool,
    /// The views that read it.
    pub read_by: Vec<Id>,
    /// The table that it is a part of, or inherits from.
    pub parent: Option<Id>,
    /// Its parts, and those that inherit from it.
    pub children: Vec<Id>,
    /// The part that takes what no other part takes.
    pub default_part: Option<Id>,
    /// The tables that refer to it, one for each foreign key.
    pub referenced_by: Vec<Id>,
    /// The migration that took all rows away.
    pub emptied: Option<MigrationId>,
}

/// Where the rows of a table are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableKind {
    /// In it.
    #[default]
    Plain,
    /// In its parts.
    Partitioned,
    /// Elsewhere.
    Foreign,
}

impl Table {
    /// One of its columns.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name)
    }

    /// One of its constraints.
    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| &*constraint.name == name)
    }

    /// Has it a check that all rows satisfy?
    pub fn has_valid_check(&self) -> bool {
        let is_check = |kind: &ConstraintKind| matches!(kind, ConstraintKind::Check(_));
        self.constraints.iter().any(|one| one.valid && is_check(&one.kind))
    }

    /// Has it room for one row only? Then a key is a column that a check allows one value.
    pub fn holds_one_row(&self) -> bool {
        let is_key = |column: &str| {
            self.constraints.iter().any(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns } => {
                    matches!(&columns[..], [only] if &**only == column)
                }
                _ => false,
            })
        };
        self.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check(expression) => {
                constraint.valid && expression.only_value_of().is_some_and(is_key)
            }
            _ => false,
        })
    }

    /// Does a validated check prove that the column is not null?
    pub fn proves_not_null(&self, column: &str) -> bool {
        self.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check(expression) => {
                constraint.valid && expression.not_null.iter().any(|name| &**name == column)
            }
            _ => false,
        })
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Box<str>,
    /// Its type; `None` when no statement shows it.
    pub ty: Option<Type>,
    /// Does it refuse nulls?
    pub not_null: bool,
    /// What stands in for a missing value, as written.
    pub default: Option<Box<str>>,
    /// Where its values come from.
    pub generated: Option<Generated>,
    /// Where it comes from.
    pub born: Birth,
}

/// A constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Its name, perhaps made up.
    pub name: Box<str>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Do all rows satisfy it?
    pub valid: bool,
    /// Where it comes from.
    pub born: Birth,
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    PrimaryKey { columns: Vec<Box<str>> },
    Unique { columns: Vec<Box<str>> },
    Check(Expression),
    ForeignKey { columns: Vec<Box<str>>, table: Option<Id>, referenced: Vec<Box<str>> },
    Exclude,
    NotNull { column: Box<str> },
}

impl ConstraintKind {
    /// The columns that it speaks of, as far as it is known.
    pub fn columns(&self) -> &[Box<str>] {
        match self {
            Self::PrimaryKey { columns }
            | Self::Unique { columns }
            | Self::ForeignKey { columns, .. } => columns,
            Self::Check(expression) => &expression.columns,
            Self::NotNull { column } => std::slice::from_ref(column),
            Self::Exclude => &[],
        }
    }

    /// Is it made of an index?
    pub const fn has_index(&self) -> bool {
        matches!(self, Self::PrimaryKey { .. } | Self::Unique { .. } | Self::Exclude)
    }
}

/// A view, also a materialized one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Does it keep its rows?
    pub materialized: bool,
    /// The indexes of a materialized one.
    pub indexes: Vec<Id>,
    /// Triggers and rules.
    pub attached: Vec<Attached>,
    /// What it reads.
    pub reads: Vec<Id>,
    /// The views that read it.
    pub read_by: Vec<Id>,
}

/// Something that has its name on a table only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Trigger, policy or rule.
    pub kind: ObjectKind,
    /// Its name.
    pub name: Box<str>,
    /// The function that a trigger calls.
    pub function: Option<Box<str>>,
}

/// An index.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// Its table or materialized view.
    pub table: Id,
    /// Its columns; `None` for an expression.
    pub keys: Vec<Option<Box<str>>>,
    /// The columns that its expressions and its condition name.
    pub uses: Vec<Box<str>>,
    /// Does it refuse equal rows?
    pub unique: bool,
    /// Does it leave rows out?
    pub partial: bool,
    /// Is it part of a constraint?
    pub of_constraint: bool,
}

/// A sequence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// The column that it goes with.
    pub owned_by: Option<(Id, Box<str>)>,
}

/// A domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Domain {
    /// What it is a domain of.
    pub base: Type,
    /// Does it refuse some values?
    pub constrained: bool,
    /// Its constraints that have a name, and whether all values satisfy them.
    pub constraints: Vec<(Box<str>, bool)>,
}

/// All functions of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routine {
    /// How many have been made.
    pub count: u32,
    /// May one of them give something else each time?
    pub volatile: bool,
    /// May one of them change what exists?
    pub changes_schema: bool,
    /// Do only triggers call it?
    pub of_trigger: bool,
}
