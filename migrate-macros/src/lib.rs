//! The macros of `migrate-postgres`, which exports them: depend on that crate, not on this one.
//!
//! Each goes through the same stages, one file each: what was typed (`attribute`), what it means (`embed`),
//! is it right (`check`) and safe (`lint`), tokens (`expand`); `fallback` keeps one error from becoming thirty.

use lint::Spans;
use migrate_core::source::Judgement;
use migrate_core::{Problem, Severity};
use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use syn::{DeriveInput, parse_macro_input};

mod attribute;
mod check;
mod embed;
mod expand;
mod fallback;
mod lint;
mod test_attribute;

/// Embeds a folder of migrations into the program, checked while it compiles.
///
/// ```
/// use migrate_macros::Migrations; // in an application: `use migrate_postgres::Migrations;`
///
/// #[derive(Migrations)]
/// #[migrations(dir = "tests/fixtures/library")]
/// struct AppMigrations;
/// # let _ = migrate_postgres::Migrations::source(&AppMigrations);
/// ```
///
/// | key | |
/// |---|---|
/// | `dir = "…"` | the folder, from that of the crate's `Cargo.toml`; `"migrations"` when it is not said |
/// | `down = "…"` | what to think of migrations without a way back: `"require"` makes each an error, `"warn"` (the default) warns once, `"ignore"` is silent |
/// | `build_script = "…"` | what to think of a build script that does not watch the folder: `"warn"` (the default) or `"ignore"` |
/// | `released = "…"` | the newest version that databases with data in them have; up to it, files are history. Else the key of that name in the folder's `migrate.toml` says so |
/// | `code(A, other::B)` | migrations that stand beside the folder, see [`Migration`](derive@Migration); both kinds run in one order |
/// | `crate = "…"` | the path of `migrate_postgres`, where it has another name |
///
/// # When the folder changes
///
/// A file that is edited or removed compiles the crate again. One that is *added* does so only when Cargo
/// watches the folder, and that takes a `build.rs`, whose absence is a warning:
///
/// ```ignore (a file of its own)
/// fn main() {
///     println!("cargo::rerun-if-changed=migrations");
/// }
/// ```
///
/// # Errors and warnings
///
/// Everything that is wrong is told at once, each with its file, line, column and remedy, in the words that
/// reading the folder at run time would have used.
///
/// With the feature `lint`, which is on unless it is turned off, the SQL is understood: what is no SQL, what
/// would fail, what takes a lock that a live system feels, what breaks the code that still runs. The rules, their
/// levels and how to allow something are in the book; `migrate explain <rule>` tells of one. A folder with a past
/// says by `released` where it ends. `MIGRATE_LINT=off` silences all of that for one build, and a warning says so;
/// `MIGRATE_LINT=warn` makes warnings of its errors.
///
/// Stable Rust has one way for a macro to warn: something deprecated. So warnings say `use of deprecated
/// constant` first, are silent under `#[allow(deprecated)]`, and are errors under `-D warnings`.
///
/// # What is in the program
///
/// Two constants: the texts as they are; and where each statement starts and ends, with checksums. No SQL is
/// read when the program starts. Debug builds also hold the path of the folder, so that a run can refuse to
/// work behind a file that was added since.
#[proc_macro_derive(Migrations, attributes(migrations))]
pub fn migrations(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive_migrations(&input).into()
}

/// Embeds a folder of migrations, as an expression.
///
/// ```
/// use migrate_macros::embed; // in an application: `use migrate_postgres::{Embedded, embed};`
/// use migrate_postgres::Embedded;
///
/// static MIGRATIONS: Embedded = embed!("tests/fixtures/library", down = "ignore");
/// # assert_eq!(MIGRATIONS.folder.packed.unpack().unwrap().len(), 6);
/// ```
///
/// The keys behind the folder, the errors and the warnings are those of
/// [`Migrations`](derive@Migrations), but for `code`: add such migrations with `Source::with`.
#[proc_macro]
pub fn embed(input: TokenStream) -> TokenStream {
    let tokens = match syn::parse::<attribute::Folder>(input) {
        Err(error) => fallback::embedded(&attribute::default_krate(), &error.into_compile_error()),
        Ok(folder) => match embedded(&folder, folder.place) {
            Ok((warnings, table)) => quote::quote!({ #warnings #table }),
            Err(errors) => fallback::embedded(&folder.krate, &errors),
        },
    };
    tokens.into()
}

/// Makes one migration, to stand beside a folder: an async function, or SQL from elsewhere.
///
/// ```
/// use migrate_macros::{Migration, Migrations}; // in an application: `use migrate_postgres::…`
/// use sqlx::PgConnection;
///
/// #[derive(Migration)]
/// #[migration(version = 20261125101500, phase = "migrate", run = fill_names, irreversible = "nothing was lost")]
/// struct FillNames;
///
/// async fn fill_names(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
///     sqlx::query("update readers set name = '' where name is null").execute(connection).await?;
///     Ok(())
/// }
///
/// #[derive(Migrations)]
/// #[migrations(dir = "tests/fixtures/library", code(FillNames))]
/// struct AppMigrations;
/// ```
///
/// | key | |
/// |---|---|
/// | `version = 20261125101500` | its place in the order; required |
/// | `phase = "…"` | `"expand"` (the default), `"migrate"` or `"contract"` |
/// | `name = "…"` | for people; the words of the type when it is not said |
/// | `irreversible = "…"` | why there is no way back; saying neither this nor the way back is a warning |
/// | `crate = "…"` | the path of `migrate_postgres`, where it has another name |
///
/// In Rust:
///
/// | key | |
/// |---|---|
/// | `run = path` | `async fn(&mut PgConnection) -> Result<(), E>`, where `E` is any error that is `Send + Sync` |
/// | `undo = path` | its way back, of the same form |
/// | `revision = 2` | its checksum; 1 when it is not said. The body is **not** hashed: raise it when the code comes to do something else |
/// | `transaction = true` | run it in a transaction, with its row in the history; `false` (the default) runs it outside, and it must bear to run again |
/// | `after = "20261120080000 contract"` | what must have run before |
/// | `lock_timeout = "2s"` | how long one attempt may wait for a lock, in `ms`, `s` or `min` |
///
/// In Rust, for each batch of a table's rows: `run = path` is then `async fn(&mut PgConnection, &Rows) -> Result<u64, E>`,
/// which says how many rows it changed; `undo` and `transaction` have no place there.
///
/// | key | |
/// |---|---|
/// | `backfill = "users by id batch 500"` | the table, and how its rows are put into batches |
/// | `verify = "…"` | a condition that must hold when it is done |
/// | `prove = "…"` | a condition on every row, for the database to prove and to keep |
/// | `reindex = true` | indexes that grew are built anew by whoever finishes it beside a run |
/// | `provides = "…"` | what new code may rely on then |
///
/// In SQL, where a file cannot stand in the folder:
///
/// | key | |
/// |---|---|
/// | `up = "…"` | the file, from the folder of the crate's `Cargo.toml`; checked like one in a folder, its `-- migrate:` lines too |
/// | `down = "…"` | its way back |
#[proc_macro_derive(Migration, attributes(migration))]
pub fn migration(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive_migration(&input).into()
}

fn derive_migrations(input: &DeriveInput) -> Tokens {
    let folder = match attribute::Folder::of(input) {
        Ok(folder) => folder,
        Err(error) => {
            let krate = attribute::krate_of(input, "migrations");
            return fallback::migrations(input, &krate, &error.into_compile_error());
        }
    };
    match embedded(&folder, input.ident.span()) {
        Ok((warnings, table)) => {
            let implementation = expand::migrations(input, &folder.krate, &table, &folder.code);
            quote::quote!(#warnings #implementation)
        }
        Err(errors) => fallback::migrations(input, &folder.krate, &errors),
    }
}

/// Warnings and the table, or everything that is wrong.
fn embedded(attribute: &attribute::Folder, warn_at: Span) -> Result<(Tokens, Tokens), Tokens> {
    let spans = Spans { error: attribute.place, warning: warn_at };
    let say = |problems: &[_]| expand::problems(problems, spans.error, spans.warning);
    let judgement = Judgement { way_back: attribute.down, released: attribute.released };
    let folder =
        embed::Folder::read(&attribute.dir, judgement).map_err(|problem| say(&[problem]))?;
    let problems = check::folder(attribute, &folder);
    let fails = has_errors(&problems);
    let verdict = lint::folder(attribute, &folder, !fails, spans);
    let (problems, findings) = (say(&problems), &verdict.said);
    let said = quote::quote!(#problems #findings);
    if fails || verdict.fails {
        return Err(said);
    }
    match expand::embedded(&folder, &attribute.krate, &verdict.targets) {
        Ok(table) => Ok((said, table)),
        Err(error) => Err(expand::error(&error.to_string(), attribute.place)),
    }
}

fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

fn derive_migration(input: &DeriveInput) -> Tokens {
    let place = input.ident.span();
    let declared = match attribute::Migration::of(input) {
        Ok(declared) => declared,
        Err(error) => {
            let krate = attribute::krate_of(input, "migration");
            return fallback::migration(input, &krate, &error.into_compile_error());
        }
    };
    let read = embed::Migration::read(&declared);
    let problems = check::migration(&declared, &input.ident, &read);
    let spans = Spans { error: declared.place(), warning: place };
    let verdict = lint::migration(&read, spans);
    let wrong = has_errors(&problems) || verdict.fails;
    let (problems, findings) =
        (expand::problems(&problems, spans.error, spans.warning), verdict.said);
    let said = quote::quote!(#problems #findings);
    match read.row.filter(|_| !wrong) {
        Some(row) => {
            match expand::migration(&input.ident, &declared.krate, &row, declared.code()) {
                Ok(tokens) => quote::quote!(#said #tokens),
                Err(error) => expand::error(&error.to_string(), place),
            }
        }
        None => fallback::migration(input, &declared.krate, &said),
    }
}

/// Exported by `migrate-testing`, which says what it does.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test_attribute::expand(arguments, item)
}
