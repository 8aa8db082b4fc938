//! Tables and indexes.

use std::fmt;

use super::Expression;
use crate::name::Name;

/// How long a relation lives, and what of it survives a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// As most do.
    #[default]
    Permanent,
    /// Until the session ends.
    Temporary,
    /// Empty after a crash.
    Unlogged,
}

/// `CREATE TABLE`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateTable {
    /// Its name.
    pub name: Name,
    /// Does it stay silent when the name is taken?
    pub if_not_exists: bool,
    /// How long it lives.
    pub persistence: Persistence,
    /// Are its rows elsewhere?
    pub foreign: bool,
    /// Its columns, with their own constraints.
    pub columns: Vec<Column>,
    /// The constraints that stand beside the columns.
    pub constraints: Vec<Constraint>,
    /// Tables whose columns it takes over (`LIKE`, `INHERITS`).
    pub like: Vec<Name>,
    /// Tables that it inherits from.
    pub inherits: Vec<Name>,
    /// The table that it is a part of.
    pub partition_of: Option<Name>,
    /// Does it take what no other part takes?
    pub is_default: bool,
    /// Does it have parts?
    pub partitioned: bool,
    /// Are its columns those of a type?
    pub of_type: bool,
}

/// A column as it is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Box<str>,
    /// Its type; `None` in a partition or a table of a type, which have it from elsewhere.
    pub ty: Option<Type>,
    /// Does it refuse nulls, by its own words?
    pub not_null: bool,
    /// What stands in for a missing value.
    pub default: Option<Expression>,
    /// Where its values come from.
    pub generated: Option<Generated>,
    /// Its own constraints, without `NOT NULL` and `DEFAULT`.
    pub constraints: Vec<Constraint>,
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// A sequence.
    Identity,
    /// An expression, kept with the row.
    Stored,
    /// An expression, computed when it is read.
    Virtual,
}

/// A type as it is written for a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Type {
    /// PostgreSQL's internal name where there are several: `int4` of `integer`.
    pub name: Name,
    /// What stands in parentheses: length, precision, scale.
    pub modifiers: Vec<i64>,
    /// Is it an array?
    pub array: bool,
}

impl Type {
    /// The type of the values: of `bigserial` it is `bigint`.
    #[must_use]
    pub fn without_sequence(&self) -> Self {
        let name = match &*self.name.name {
            "serial" => "int4",
            "bigserial" => "int8",
            "smallserial" => "int2",
            _ => return self.clone(),
        };
        Self { name: Name::bare(name), ..self.clone() }
    }

    /// Does it bring a sequence along? `serial` is no type but a column with a default.
    pub fn is_serial(&self) -> bool {
        matches!(&*self.name.name, "serial" | "bigserial" | "smallserial")
            && self.name.schema.is_none()
            && !self.array
    }
}

/// As people write it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name.schema, &*self.name.name) {
            (None, "int4") => f.write_str("integer")?,
            (None, "int8") => f.write_str("bigint")?,
            (None, "int2") => f.write_str("smallint")?,
            (None, "bool") => f.write_str("boolean")?,
            (None, "float4") => f.write_str("real")?,
            (None, "float8") => f.write_str("double precision")?,
            (None, "bpchar") if !self.modifiers.is_empty() => f.write_str("char")?,
            (None, fields) if fields.starts_with("interval ") => f.write_str(fields)?,
            _ => self.name.fmt(f)?,
        }
        if !self.modifiers.is_empty() {
            let modifiers: Vec<String> = self.modifiers.iter().map(ToString::to_string).collect();
            write!(f, "({})", modifiers.join(","))?;
        }
        f.write_str(if self.array { "[]" } else { "" })
    }
}

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Its name; PostgreSQL makes one up otherwise.
    pub name: Option<Box<str>>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Does it leave the rows that are there alone?
    pub not_valid: bool,
    /// Does it leave all rows alone?
    pub not_enforced: bool,
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `PRIMARY KEY`
    PrimaryKey {
        /// Its columns; of a column's own constraint, that column.
        columns: Vec<Box<str>>,
        /// An index that is there already.
        using_index: Option<Name>,
    },
    /// `UNIQUE`
    Unique {
        /// Its columns; of a column's own constraint, that column.
        columns: Vec<Box<str>>,
        /// An index that is there already.
        using_index: Option<Name>,
    },
    /// `CHECK`
    Check(Expression),
    /// `REFERENCES`
    ForeignKey {
        /// The columns on this side.
        columns: Vec<Box<str>>,
        /// The table on the other side.
        table: Name,
        /// The columns there; none means its primary key.
        referenced: Vec<Box<str>>,
    },
    /// `EXCLUDE`
    Exclude,
    /// `NOT NULL`, as a constraint with a name (PostgreSQL 18).
    NotNull {
        /// The column.
        column: Box<str>,
    },
}

/// `ALTER TABLE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterTable {
    /// What it says it alters.
    pub kind: super::ObjectKind,
    /// Its name.
    pub name: Name,
    /// Does it stay silent when there is none?
    pub if_exists: bool,
    /// Does it leave out those that inherit from it?
    pub only: bool,
    /// What becomes of it, in the order of the text.
    pub changes: Vec<Change>,
}

/// One thing that becomes of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    AddColumn {
        column: Box<Column>,
        if_not_exists: bool,
    },
    DropColumn {
        column: Box<str>,
        if_exists: bool,
        cascade: bool,
    },
    RenameColumn {
        from: Box<str>,
        to: Box<str>,
    },
    AlterType {
        column: Box<str>,
        ty: Type,
        using: Option<Expression>,
    },
    SetNotNull {
        column: Box<str>,
    },
    DropNotNull {
        column: Box<str>,
    },
    SetDefault {
        column: Box<str>,
        default: Expression,
    },
    DropDefault {
        column: Box<str>,
    },
    /// `ADD GENERATED … AS IDENTITY` on a column that is there.
    AddIdentity {
        column: Box<str>,
    },
    DropIdentity {
        column: Box<str>,
    },
    /// `SET EXPRESSION`: every value is computed anew.
    SetExpression {
        column: Box<str>,
    },
    DropExpression {
        column: Box<str>,
    },
    /// What touches neither values nor what may be written.
    ColumnSetting {
        column: Box<str>,
        setting: ColumnSetting,
    },
    AddConstraint(Box<Constraint>),
    DropConstraint {
        name: Box<str>,
        if_exists: bool,
        cascade: bool,
    },
    RenameConstraint {
        from: Box<str>,
        to: Box<str>,
    },
    ValidateConstraint {
        name: Box<str>,
    },
    /// `ALTER CONSTRAINT`: when it is checked, or whether.
    AlterConstraint {
        name: Box<str>,
        /// Is it switched on, or off?
        enforced: Option<bool>,
    },
    AttachPartition {
        partition: Name,
        /// Does it take what no other part takes?
        is_default: bool,
    },
    DetachPartition {
        partition: Name,
        how: Detach,
    },
    Inherit {
        parent: Name,
    },
    NoInherit {
        parent: Name,
    },
    /// Triggers are switched on or off.
    SwitchTrigger {
        on: bool,
    },
    SwitchRule,
    /// Row-level security is switched on or off, or forced.
    RowSecurity,
    ReplicaIdentity,
    Owner,
    SetTablespace,
    SetAccessMethod,
    SetLogged,
    SetUnlogged,
    /// Storage parameters.
    Options,
    /// `CLUSTER ON`, `SET WITHOUT CLUSTER`
    ClusterOn,
    /// `OF`, `NOT OF`, partitions merged and split, and what else nobody writes.
    Other,
}

/// A setting of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnSetting {
    /// `SET STATISTICS`, `SET (n_distinct = …)`
    Statistics,
    /// `SET STORAGE`, `SET COMPRESSION`
    Storage,
    /// What the sequence of an identity does next.
    Identity,
}

/// How a part is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detach {
    /// Keeping everybody out.
    Plain,
    /// In two transactions.
    Concurrently,
    /// The second of the two.
    Finalize,
}

/// `CREATE INDEX`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateIndex {
    /// Its name, in the schema of its table; PostgreSQL makes one up otherwise.
    pub name: Option<Box<str>>,
    /// The table or materialized view.
    pub table: Name,
    /// Does it leave out the parts of the table?
    pub only: bool,
    /// Does it refuse equal rows?
    pub unique: bool,
    /// Without keeping writers out?
    pub concurrently: bool,
    /// Does it stay silent when the name is taken?
    pub if_not_exists: bool,
    /// Its keys: a column, or `None` for an expression.
    pub keys: Vec<Option<Box<str>>>,
    /// What each key adds to the name that PostgreSQL makes up.
    pub key_names: Vec<Box<str>>,
    /// The columns that its expressions and its condition name.
    pub uses: Vec<Box<str>>,
    /// Does it leave rows out?
    pub partial: bool,
}
