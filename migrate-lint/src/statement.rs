//! What a statement does, in plain data.
//!
//! Owns the words for it: closed sets, names as they were written, nothing of a syntax tree. The adapter makes
//! these values, the replay and the rules read them. Does not know what the statement does to a live database:
//! that depends on the schema it meets, see `locks`.

mod data;
mod object;
mod table;

pub use data::{Expression, Maintenance, Setting, Transaction, Write, WriteKind};
pub use object::{
    AlterDomain, AlterEnum, CreateDomain, CreateRoutine, CreateSequence, CreateTrigger, CreateType,
    CreateView, Drop, ObjectKind, TypeKind,
};
pub use table::{
    AlterTable, Change, Column, ColumnSetting, Constraint, ConstraintKind, CreateIndex,
    CreateTable, Detach, Generated, Persistence, Type,
};

use crate::name::Name;

/// One statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// What it does.
    pub action: Action,
    /// The relations that its queries read, without those that it makes itself (`WITH`).
    pub reads: Vec<Name>,
    /// Those whose rows it locks (`FOR UPDATE`, `FOR SHARE`).
    pub locks_rows: Vec<Name>,
    /// The functions that it calls.
    pub calls: Vec<Name>,
}

/// What a statement does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Nothing that we understand.
    #[default]
    Unknown,
    /// Nothing that we have read: it is nested too deeply.
    TooDeep,
    /// Something that changes no object which the replay follows, such as `CREATE ROLE`.
    Other(&'static str),
    /// `CREATE TABLE`, also a foreign one.
    CreateTable(Box<CreateTable>),
    /// `CREATE TABLE … AS`, `SELECT … INTO`.
    CreateTableAs {
        /// The table.
        name: Name,
        /// Does it stay silent when the name is taken?
        if_not_exists: bool,
        /// Is it temporary?
        persistence: Persistence,
    },
    /// `ALTER TABLE`, and what of `ALTER VIEW` and the like changes columns.
    AlterTable(AlterTable),
    /// `CREATE INDEX`
    CreateIndex(Box<CreateIndex>),
    /// `CREATE VIEW`, also a materialized one.
    CreateView(CreateView),
    /// `CREATE TYPE`
    CreateType(CreateType),
    /// `CREATE DOMAIN`
    CreateDomain(Box<CreateDomain>),
    /// `ALTER TYPE … VALUE`
    AlterEnum(AlterEnum),
    /// `ALTER DOMAIN`
    AlterDomain {
        /// The domain.
        name: Name,
        /// What becomes of it.
        change: Box<AlterDomain>,
    },
    /// `CREATE SEQUENCE`
    CreateSequence(CreateSequence),
    /// `CREATE FUNCTION`, `PROCEDURE`, `AGGREGATE`
    CreateRoutine(CreateRoutine),
    /// `CREATE TRIGGER`
    CreateTrigger(CreateTrigger),
    /// `CREATE POLICY`, `CREATE RULE`: something that has its name on a table only.
    CreateOnTable {
        /// What it is.
        kind: ObjectKind,
        /// Its name.
        name: Box<str>,
        /// The table.
        table: Name,
        /// Does it take the place of one of that name?
        or_replace: bool,
    },
    /// `CREATE SCHEMA`, with what stands behind it.
    CreateSchema {
        /// Its name; `None` after `AUTHORIZATION` alone, where it is that of a role.
        name: Option<Box<str>>,
        /// Does it stay silent when the name is taken?
        if_not_exists: bool,
        /// Statements that are part of it.
        elements: Vec<Statement>,
    },
    /// `CREATE EXTENSION`
    CreateExtension {
        /// Its name.
        name: Box<str>,
        /// Does it stay silent when it is there?
        if_not_exists: bool,
    },
    /// Any `DROP`.
    Drop(Drop),
    /// `ALTER … RENAME TO`
    Rename {
        /// What it is.
        kind: ObjectKind,
        /// The old name.
        name: Name,
        /// The new one.
        to: Box<str>,
        /// Does it stay silent when there is none?
        if_exists: bool,
    },
    /// `ALTER … SET SCHEMA`
    Move {
        /// What it is.
        kind: ObjectKind,
        /// The old name.
        name: Name,
        /// Where it goes.
        schema: Box<str>,
        /// Does it stay silent when there is none?
        if_exists: bool,
    },
    /// `ALTER SEQUENCE … OWNED BY`
    OwnSequence {
        /// The sequence.
        name: Name,
        /// The table and column that it goes with from then on; `None` for none.
        owner: Option<(Name, Box<str>)>,
        /// Does it stay silent when there is none?
        if_exists: bool,
    },
    /// Any other `ALTER` of something that must exist.
    Alter {
        /// What it is.
        kind: ObjectKind,
        /// Its name; of what has its name on a table only, that of the table.
        name: Name,
        /// Does it move to another tablespace or owner?
        moves: bool,
        /// Does it stay silent when there is none?
        if_exists: bool,
    },
    /// `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `COPY`, with all that its `WITH` writes.
    Data(Vec<Write>),
    /// `TRUNCATE`
    Truncate {
        /// The tables.
        tables: Vec<Name>,
        /// Those that refer to them as well?
        cascade: bool,
    },
    /// `COMMENT ON`
    Comment {
        /// On what kind of thing.
        kind: ObjectKind,
        /// On which one.
        name: Option<Name>,
    },
    /// `CREATE STATISTICS`, `CREATE PUBLICATION … FOR TABLE` and its `ALTER`: what stands beside these tables.
    Beside(Vec<Name>),
    /// `GRANT` or `REVOKE`
    Privileges {
        /// Does it take them away?
        revoke: bool,
        /// On which relations.
        relations: Vec<Name>,
    },
    /// `SET`, `RESET`
    Setting(Setting),
    /// `BEGIN`, `COMMIT` and the like.
    Transaction(Transaction),
    /// `VACUUM`, `REINDEX`, `REFRESH`, `LOCK` and the like.
    Maintenance(Maintenance),
    /// `DO`, whose body we read as words.
    Do {
        /// The words of the body, folded, in order, each once.
        words: Vec<Box<str>>,
        /// Does it make statements out of text, or call what may do so?
        dynamic: bool,
    },
    /// `CALL`, `EXECUTE`: what it does stands elsewhere.
    Call(Name),
    /// `ALTER SYSTEM`, and what makes, changes and drops databases and tablespaces.
    Cluster(&'static str),
    /// `DISCARD`
    Discard {
        /// Everything of the session, or only plans, sequences, temporary tables.
        all: bool,
    },
}
