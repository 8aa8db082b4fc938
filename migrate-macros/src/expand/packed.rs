//! A folder as two constants, written as text.
//!
//! What a folder costs the user's build is the number of its expressions, measured on 5,000 files: a table with
//! one flat call for each row takes two seconds, two constants take less than one.
//!
//! The texts of the files come by `include_str!`: the compiler reads them again, and Cargo knows of them.

use migrate_core::{SqlMigration, pack, scripts};
use proc_macro::LexError;
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::Path;

use crate::embed;

/// A `Packed`.
pub(super) fn packed(krate: &Path, migrations: &[SqlMigration]) -> Result<TokenStream, LexError> {
    let rows = Literal::byte_string(&pack(migrations));
    let texts = texts(migrations)?;
    let bytes: usize = scripts(migrations).map(|script| script.text.len()).sum();
    Ok(quote! {{
        const TEXTS: &str = #texts;
        const _: () = ::core::assert!(
            TEXTS.len() == #bytes,
            "a migration changed while it was compiled; build again",
        );
        #krate::core::Packed { rows: #rows, texts: TEXTS }
    }})
}

/// By the compiler's parser at once; proc_macro2 would first read the text with its own, which takes longer
/// than the rest of the macro.
fn parse(text: &str) -> Result<TokenStream, LexError> {
    text.parse::<proc_macro::TokenStream>().map(Into::into)
}

fn texts(migrations: &[SqlMigration]) -> Result<TokenStream, LexError> {
    let root = embed::root();
    let include =
        |file: &str| format!("::core::include_str!({:?}),", root.join(file).display().to_string());
    let files: String = scripts(migrations).map(|script| include(&script.file)).collect();
    parse(&format!("::core::concat!({files})"))
}

/// An array of strings.
pub(super) fn strings(strings: &[String]) -> Result<TokenStream, LexError> {
    let items: String = strings.iter().map(|string| format!("{string:?},")).collect();
    parse(&format!("[{items}]"))
}
