//! Objects other than tables and indexes.

use std::fmt;

use super::{Constraint, Expression, Type};
use crate::name::Name;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Index,
    Sequence,
    Type,
    Domain,
    Function,
    Procedure,
    Routine,
    Aggregate,
    Schema,
    Extension,
    Trigger,
    Policy,
    Rule,
    Column,
    Constraint,
    Statistics,
    /// Something that the replay does not follow.
    Other,
}

impl ObjectKind {
    /// PostgreSQL's word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Index => "index",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Routine => "routine",
            Self::Aggregate => "aggregate",
            Self::Schema => "schema",
            Self::Extension => "extension",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::Rule => "rule",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Statistics => "statistics",
            Self::Other => "object",
        }
    }

    /// Is it something with rows or columns, named as tables are?
    pub const fn is_relation(self) -> bool {
        use ObjectKind as K;
        matches!(
            self,
            K::Table | K::ForeignTable | K::View | K::MaterializedView | K::Index | K::Sequence
        )
    }

    /// Does it have its name on a table only?
    pub const fn is_on_table(self) -> bool {
        matches!(self, Self::Trigger | Self::Policy | Self::Rule)
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `DROP …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// Of what.
    pub kind: ObjectKind,
    /// Which ones.
    pub names: Vec<Name>,
    /// On which table, for a trigger, policy or rule.
    pub table: Option<Name>,
    /// Does it stay silent when there is none?
    pub if_exists: bool,
    /// With all that depends on them?
    pub cascade: bool,
    /// Without keeping others out?
    pub concurrently: bool,
}

/// `CREATE [MATERIALIZED] VIEW`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateView {
    /// Its name.
    pub name: Name,
    /// Does it keep its rows?
    pub materialized: bool,
    /// Does it take the place of one of that name?
    pub or_replace: bool,
    /// Does it stay silent when the name is taken?
    pub if_not_exists: bool,
    /// Is it temporary?
    pub temporary: bool,
}

/// `CREATE TYPE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateType {
    /// Its name.
    pub name: Name,
    /// What it is made of.
    pub kind: TypeKind,
}

/// What a type is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// The values of an enum.
    Enum(Vec<Box<str>>),
    /// A row.
    Composite,
    /// A range, a base type, a shell.
    Other,
}

/// `ALTER TYPE … ADD VALUE`, `RENAME VALUE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterEnum {
    /// The enum.
    pub name: Name,
    /// The new value.
    pub value: Box<str>,
    /// The value that gets that name.
    pub renames: Option<Box<str>>,
    /// Does it stay silent when the value is there?
    pub if_not_exists: bool,
}

/// `CREATE DOMAIN`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateDomain {
    /// Its name.
    pub name: Name,
    /// What it is a domain of.
    pub base: Type,
    /// Does it refuse values?
    pub constraints: Vec<Constraint>,
    /// Does it refuse nulls?
    pub not_null: bool,
    /// What stands in for a missing value.
    pub default: Option<Expression>,
}

/// `ALTER DOMAIN …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlterDomain {
    /// `ADD CONSTRAINT`
    AddConstraint(Constraint),
    /// `DROP CONSTRAINT`
    DropConstraint(Box<str>),
    /// `VALIDATE CONSTRAINT`
    ValidateConstraint(Box<str>),
    /// `SET NOT NULL`
    SetNotNull,
    /// Its default, its owner, `DROP NOT NULL`, …
    Other,
}

/// `CREATE SEQUENCE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSequence {
    /// Its name.
    pub name: Name,
    /// Does it stay silent when the name is taken?
    pub if_not_exists: bool,
    /// Is it temporary?
    pub temporary: bool,
    /// The column that it goes with: table and column.
    pub owned_by: Option<(Name, Box<str>)>,
}

/// `CREATE FUNCTION` and its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRoutine {
    /// Function, procedure or aggregate.
    pub kind: ObjectKind,
    /// Its name; others may have the same name and other parameters.
    pub name: Name,
    /// Does it take the place of one of that name?
    pub or_replace: bool,
    /// May it give something else each time? It says so unless it says `IMMUTABLE` or `STABLE`.
    pub volatile: bool,
    /// Does only a trigger call it?
    pub of_trigger: bool,
    /// Does its body hold words of statements that change a schema?
    pub changes_schema: bool,
}

/// `CREATE TRIGGER`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTrigger {
    /// Its name, on its table.
    pub name: Box<str>,
    /// The table or view.
    pub table: Name,
    /// Does it take the place of one of that name?
    pub or_replace: bool,
    /// What it calls.
    pub function: Option<Name>,
    /// For each row, or once for a statement?
    pub each_row: bool,
}
