//! The macros of `migrate-postgres`, which exports them: depend on that crate, not on this one.
//!
//! Each goes through the same stages, one file each: what was typed (`attribute`), what it means (`embed`),
//! is it right (`check`), tokens (`expand`); `fallback` keeps one error from becoming thirty.

use migrate_core::Severity;
use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use syn::{DeriveInput, parse_macro_input};

mod attribute;
mod check;
mod embed;
mod expand;
mod fallback;

#[proc_macro_derive(Migrations, attributes(migrations))]
pub fn migrations(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive_migrations(&input).into()
}

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
    let say = |problems: &[_]| expand::problems(problems, attribute.place, warn_at);
    let folder =
        embed::Folder::read(&attribute.dir, attribute.down).map_err(|problem| say(&[problem]))?;
    let problems = check::folder(
        folder.contents.problems.clone(),
        &folder.path,
        attribute.build_script,
    );
    let said = say(&problems);
    if folder.contents.has_errors() {
        return Err(said);
    }
    match expand::embedded(&folder, &attribute.krate) {
        Ok(table) => Ok((said, table)),
        Err(error) => Err(expand::error(&error.to_string(), attribute.place)),
    }
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
    let said = expand::problems(&problems, place, place);
    let wrong = problems.iter().any(|p| p.severity == Severity::Error);
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
