//! The rows of a folder, as text.
//!
//! What a row costs the user's build is the number of its expressions, measured on 5,000 files: nested
//! constructors and a table of statements in each row take twice as long as one flat call, whose statements
//! are a range of one table. So the common row is `t(…)` with plain arguments, and only a rare one says more.
//! Ways back are a table of their own, because a row has room for what most rows have.
//!
//! The texts of the files come by `include_str!`: the compiler reads them again, and Cargo knows of them.

use std::path::{Path as File, PathBuf};

use migrate_core::sql::Statement;
use migrate_core::{Backfill, Checksum, MigrationId, Phase, Script, SqlDown, SqlMigration, Step};
use proc_macro::LexError;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Path;

use crate::embed;

/// An array of `SqlMigration`.
pub(super) fn rows(krate: &Path, migrations: &[SqlMigration]) -> Result<TokenStream, LexError> {
    let mut table = Table { root: embed::root(), ..Table::default() };
    let rows: String = migrations.iter().map(|m| table.row(m)).collect();
    let krate = krate.to_token_stream();
    let Table { statements, count, downs, backs, .. } = table;
    parse(&format!(
        "{{#[allow(unused_imports)]use {krate}::core::{{{NAMES}}};\
        #[allow(unused_imports)]use ::core::{{include_str as i,option::Option as O,time::Duration as U}};\
        #[allow(unused_imports)]use ::std::borrow::Cow as W;\
        static A:[S;{count}]=[{statements}];static E:[T;{backs}]=[{downs}];{FUNCTIONS}[{rows}]}}"
    ))
}

/// By the compiler's parser at once; proc_macro2 would first read the text with its own, which takes longer
/// than the rest of the macro.
fn parse(text: &str) -> Result<TokenStream, LexError> {
    text.parse::<proc_macro::TokenStream>().map(Into::into)
}

/// An array of strings.
pub(super) fn strings(strings: &[String]) -> Result<TokenStream, LexError> {
    let items: String = strings.iter().map(|string| format!("{string:?},")).collect();
    parse(&format!("[{items}]"))
}

const NAMES: &str = "Backfill as B,Code as C,MigrationId as I,Phase as P,Script as F,SqlDown as D,\
    SqlMigration as M,Step as T,Version as V,sql::Statement as S";

/// `t` and `s` are rows, of a transaction and of standalone statements; `u` and `v` the steps of these kinds;
/// `f` is a file: path, text, and which part of the statements; `d` a way back: which part of the steps.
const FUNCTIONS: &str = "\
    type Z=&'static str;\
    #[allow(dead_code)]const fn f(p:Z,x:Z,a:usize,n:usize)->F{F::embedded(p,x,A.split_at(a).1.split_at(n).0)}\
    #[allow(dead_code,clippy::too_many_arguments)]\
    const fn t(i:i64,h:P,m:Z,c:[u8;32],p:Z,x:Z,a:usize,n:usize,d:D)->M\
    {M::row((i,h,m),c,u(p,x,a,n),d,&[],O::None)}\
    #[allow(dead_code,clippy::too_many_arguments)]\
    const fn s(i:i64,h:P,m:Z,c:[u8;32],p:Z,x:Z,a:usize,n:usize,d:D)->M\
    {M::row((i,h,m),c,v(p,x,a,n),d,&[],O::None)}\
    #[allow(dead_code)]const fn u(p:Z,x:Z,a:usize,n:usize)->T{T::Transaction(f(p,x,a,n))}\
    #[allow(dead_code)]const fn v(p:Z,x:Z,a:usize,n:usize)->T{T::Standalone(f(p,x,a,n))}\
    #[allow(dead_code)]const fn d(a:usize,n:usize)->D{D::Steps(W::Borrowed(E.split_at(a).1.split_at(n).0))}";

#[derive(Default)]
struct Table {
    root: PathBuf,
    /// Of all scripts, one after the other.
    statements: String,
    count: usize,
    /// Steps, one after the other.
    downs: String,
    backs: usize,
}

impl Table {
    fn row(&mut self, migration: &SqlMigration) -> String {
        let SqlMigration { after, lock_timeout, up, .. } = migration;
        match up {
            Step::Transaction(script) if after.is_empty() && lock_timeout.is_none() => {
                self.flat('t', migration, script)
            }
            Step::Standalone(script) if after.is_empty() && lock_timeout.is_none() => {
                self.flat('s', migration, script)
            }
            _ => self.full(migration),
        }
    }

    fn flat(&mut self, function: char, migration: &SqlMigration, script: &Script) -> String {
        let (version, phase) = (migration.id.version, phase(migration.id.phase));
        let (name, checksum) = (&migration.name, bytes(&migration.checksum));
        let script = self.script(script);
        let down = self.down(&migration.down);
        format!("{function}({version},{phase},{name:?},{checksum},{script},{down}),")
    }

    fn full(&mut self, migration: &SqlMigration) -> String {
        let (version, phase) = (migration.id.version, phase(migration.id.phase));
        let (name, checksum) = (&migration.name, bytes(&migration.checksum));
        let (up, down) = (self.step(&migration.up), self.down(&migration.down));
        let after = after(&migration.after);
        let timeout = match migration.lock_timeout {
            Some(time) => format!("O::Some(U::new({},{}))", time.as_secs(), time.subsec_nanos()),
            None => "O::None".to_owned(),
        };
        format!("M::row(({version},{phase},{name:?}),{checksum},{up},{down},{after},{timeout}),")
    }

    fn step(&mut self, step: &Step) -> String {
        match step {
            Step::Transaction(script) => format!("u({})", self.script(script)),
            Step::Standalone(script) => format!("v({})", self.script(script)),
            Step::Backfill(Backfill { script }) => {
                format!("T::Backfill(B{{script:f({})}})", self.script(script))
            }
            Step::Code(code) => {
                let (revision, transaction) = (code.revision, code.transaction);
                format!("T::Code(C{{revision:{revision},transaction:{transaction}}})")
            }
            _ => "::core::compile_error!(\"a step that this version of the macro does not know\")"
                .to_owned(),
        }
    }

    fn down(&mut self, down: &SqlDown) -> String {
        match down {
            SqlDown::Steps(steps) => self.steps(steps),
            SqlDown::With(phase) => format!("D::With({})", self::phase(*phase)),
            SqlDown::Irreversible(reason) => format!("D::Irreversible(W::Borrowed({reason:?}))"),
            SqlDown::Missing => "D::Missing".to_owned(),
        }
    }

    fn steps(&mut self, steps: &[Step]) -> String {
        let (from, count) = (self.backs, steps.len());
        self.backs += count;
        for step in steps {
            let step = self.step(step);
            self.downs.extend([&step, ","]);
        }
        format!("d({from},{count})")
    }

    /// The arguments of `f`, and of all that end like it.
    fn script(&mut self, script: &Script) -> String {
        let (from, count) = (self.count, script.statements.len());
        self.count += count;
        self.statements.extend(script.statements.iter().map(statement));
        let absolute = absolute(&self.root, &script.file);
        format!("{:?},i!({absolute:?}),{from},{count}", script.file)
    }
}

fn absolute(root: &File, file: &str) -> String {
    root.join(file).display().to_string()
}

fn statement(statement: &Statement) -> String {
    let Statement { start, end, line, column } = statement;
    format!("S{{start:{start},end:{end},line:{line},column:{column}}},")
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Expand => "P::Expand",
        Phase::Migrate => "P::Migrate",
        Phase::Contract => "P::Contract",
    }
}

/// One token, where a list of numbers would be 64.
fn bytes(checksum: &Checksum) -> String {
    format!("*b\"{}\"", checksum.as_bytes().escape_ascii())
}

fn after(after: &[MigrationId]) -> String {
    let id = |id: &MigrationId| format!("I::new(V::new({}),{}),", id.version, phase(id.phase));
    let ids: String = after.iter().map(id).collect();
    match after.len() {
        0 => "&[]".to_owned(),
        count => format!("{{static L:[I;{count}]=[{ids}];&L}}"),
    }
}
