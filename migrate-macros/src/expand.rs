//! The tokens: a table, not a function.
//!
//! Proc macros are compiled without optimisation, and rustc looks at every token: rows are written as one
//! text with one-letter names and parsed once, by the compiler's own parser. The texts of the files come by
//! `include_str!`, which is also what makes Cargo compile again when one is edited or removed.

use std::path::Path as File;

use migrate_core::sql::Statement;
use migrate_core::{
    Backfill, Checksum, Migration, MigrationId, Phase, Problem, Script, Severity, SqlDown,
    SqlMigration, Step, digest,
};
use proc_macro2::{LexError, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{DeriveInput, Ident, Path};

use crate::attribute::{Back, Code};
use crate::embed::{self, Folder};

/// The implementation of `Migrations`.
pub(crate) fn migrations(
    input: &DeriveInput,
    krate: &Path,
    embedded: &TokenStream,
    code: &[Path],
) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #krate::Migrations for #ident #arguments #bounds {
            fn source(&self) -> #krate::Source {
                let folder = {
                    static FOLDER: #krate::Embedded = #embedded;
                    #krate::Migrations::source(&FOLDER)
                };
                folder #(.with(#code))*
            }
        }
    }
}

/// An expression of type `Embedded`.
pub(crate) fn embedded(folder: &Folder, krate: &Path) -> Result<TokenStream, LexError> {
    let root = embed::root();
    let krate = krate.to_token_stream();
    let migrations = &folder.contents.migrations;
    let digest = digest(
        migrations
            .iter()
            .map(|migration| migration as &dyn Migration),
    );
    let (imports, count, path) = (imports(&krate), migrations.len(), &folder.path);
    let rows = joined(migrations, |migration| row(&root, migration));
    let files = joined(&folder.names, |name| format!("{name:?}"));
    let digest = checksum(&digest);
    let on_disk = root.join(path).display().to_string();
    let text = format!(
        "{{{imports}static ROWS:[M;{count}]=[{rows}];\
        {krate}::Embedded{{folder:Y{{path:{path:?},migrations:&ROWS,digest:{digest},files:&[{files}],\
        on_disk:if ::core::cfg!(debug_assertions){{O::Some({on_disk:?})}}else{{O::None}}}},\
        build: ::core::concat!(::core::env!(\"CARGO_PKG_NAME\"),\" \",::core::env!(\"CARGO_PKG_VERSION\"))}}}}"
    );
    text.parse()
}

/// The implementations for a single migration.
pub(crate) fn migration(
    ident: &Ident,
    krate: &Path,
    declared: &SqlMigration,
    code: Option<&Code>,
) -> Result<TokenStream, LexError> {
    let row = row(&embed::root(), declared);
    let imports = imports(&krate.to_token_stream());
    let row: TokenStream = format!("{{{imports}{row}}}").parse()?;
    let beside = match code {
        Some(_) => quote!(code),
        None => quote!(sql),
    };
    let code = code.map(|code| functions(ident, krate, code));
    Ok(quote! {
        #code

        #[automatically_derived]
        impl #krate::Listed for #ident {
            fn listed(self) -> #krate::Beside {
                #krate::Beside::#beside(self)
            }
        }

        const _: () = {
            static ROW: #krate::core::SqlMigration = #row;

            #[automatically_derived]
            impl #krate::core::Migration for #ident {
                fn id(&self) -> #krate::core::MigrationId {
                    #krate::core::Migration::id(&ROW)
                }
                fn name(&self) -> &str {
                    #krate::core::Migration::name(&ROW)
                }
                fn up(&self) -> &[#krate::core::Step] {
                    #krate::core::Migration::up(&ROW)
                }
                fn down(&self) -> #krate::core::Down<'_> {
                    #krate::core::Migration::down(&ROW)
                }
                fn checksum(&self) -> #krate::core::Checksum {
                    #krate::core::Migration::checksum(&ROW)
                }
                fn after(&self) -> &[#krate::core::MigrationId] {
                    #krate::core::Migration::after(&ROW)
                }
                fn lock_timeout(&self) -> ::core::option::Option<::core::time::Duration> {
                    #krate::core::Migration::lock_timeout(&ROW)
                }
            }
        };
    })
}

fn functions(ident: &Ident, krate: &Path, code: &Code) -> TokenStream {
    let up = function(&quote!(up), krate, &code.run);
    let down = match &code.undo {
        Back::By(undo) => function(&quote!(down), krate, undo),
        Back::Irreversible(_) | Back::Missing => TokenStream::new(),
    };
    quote! {
        #[#krate::async_trait]
        impl #krate::Code for #ident {
            #up
            #down
        }
    }
}

/// Calls with the span of the path, so that a wrong signature is shown where it was named.
fn function(name: &TokenStream, krate: &Path, path: &Path) -> TokenStream {
    let call = quote_spanned! {syn::spanned::Spanned::span(path)=>
        ::core::result::Result::map_err(#path(connection).await, ::core::convert::Into::into)
    };
    quote! {
        async fn #name(
            &self,
            connection: &mut #krate::PgConnection,
        ) -> ::core::result::Result<(), #krate::BoxError> {
            #call
        }
    }
}

/// What the compiler is to say; each problem by itself.
pub(crate) fn problems(problems: &[Problem], error: Span, warning: Span) -> TokenStream {
    let one = |problem: &Problem| match problem.severity {
        Severity::Error => self::error(&problem.to_string(), error),
        Severity::Warning => self::warning(&problem.to_string(), warning),
    };
    problems.iter().map(one).collect()
}

pub(crate) fn error(message: &str, place: Span) -> TokenStream {
    quote_spanned!(place=> ::core::compile_error! { #message })
}

/// Stable Rust lets a macro warn of deprecated things only: here is one, and it is used. Where the tokens do
/// not have the span of something that the user typed, rustc keeps silent.
fn warning(message: &str, place: Span) -> TokenStream {
    quote_spanned! {place=>
        const _: () = {
            #[deprecated(note = #message)]
            #[allow(non_upper_case_globals)]
            const migrations: () = ();
            migrations
        };
    }
}

fn imports(krate: &TokenStream) -> String {
    format!(
        "#[allow(unused_imports)]use {krate}::core::{{\
        Backfill as B,Checksum as C,Code as K,Folder as Y,MigrationId as I,Phase as P,Script as F,SqlDown as D,\
        SqlMigration as M,Step as T,Version as V,sql::Statement as S}};\
        #[allow(unused_imports)]use ::core::{{include_str as i,option::Option as O,time::Duration as U}};\
        #[allow(unused_imports)]use ::std::borrow::Cow as W;"
    )
}

/// `SqlMigration::row(…)`.
fn row(root: &File, migration: &SqlMigration) -> String {
    let MigrationId { version, phase } = migration.id;
    format!(
        "M::row(({version},{},{:?}),{},{},{},{},{})",
        self::phase(phase),
        migration.name,
        bytes(&migration.checksum),
        step(root, &migration.up),
        down(root, &migration.down),
        after(&migration.after),
        match migration.lock_timeout {
            Some(timeout) => format!(
                "O::Some(U::new({},{}))",
                timeout.as_secs(),
                timeout.subsec_nanos()
            ),
            None => "O::None".to_owned(),
        },
    )
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

fn checksum(checksum: &Checksum) -> String {
    format!("C::from_bytes({})", bytes(checksum))
}

fn step(root: &File, step: &Step) -> String {
    match step {
        Step::Transaction(script) => format!("T::Transaction({})", self::script(root, script)),
        Step::Standalone(script) => format!("T::Standalone({})", self::script(root, script)),
        Step::Backfill(backfill) => self::backfill(root, backfill),
        Step::Code(code) => format!(
            "T::Code(K{{revision:{},transaction:{}}})",
            code.revision, code.transaction
        ),
        _ => "::core::compile_error!(\"a kind of step that the macro does not know\")".to_owned(),
    }
}

fn backfill(root: &File, backfill: &Backfill) -> String {
    format!(
        "T::Backfill(B{{table:W::Borrowed({:?}),key:W::Borrowed({:?}),batch:{},script:{}}})",
        backfill.table,
        backfill.key,
        backfill.batch,
        script(root, &backfill.script)
    )
}

fn script(root: &File, script: &Script) -> String {
    let absolute = root.join(&*script.file);
    let statements = joined(&script.statements, statement);
    format!(
        "F::embedded({:?},i!({:?}),&[{statements}])",
        script.file,
        absolute.display().to_string(),
    )
}

fn statement(statement: &Statement) -> String {
    let Statement {
        start,
        end,
        line,
        column,
    } = statement;
    format!("S{{start:{start},end:{end},line:{line},column:{column}}}")
}

fn down(root: &File, down: &SqlDown) -> String {
    match down {
        SqlDown::Step(step) => format!("D::Step({})", self::step(root, step)),
        SqlDown::With(phase) => format!("D::With({})", self::phase(*phase)),
        SqlDown::Irreversible(reason) => format!("D::Irreversible(W::Borrowed({reason:?}))"),
        SqlDown::Missing => "D::Missing".to_owned(),
    }
}

fn after(after: &[MigrationId]) -> String {
    let id = |id: &MigrationId| {
        let (version, phase) = (id.version, phase(id.phase));
        format!("I::new(V::new({version}),{phase})")
    };
    match after.len() {
        0 => "&[]".to_owned(),
        count => format!("{{static A:[I;{count}]=[{}];&A}}", joined(after, id)),
    }
}

fn joined<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str(&one(item));
        text.push(',');
    }
    text
}
