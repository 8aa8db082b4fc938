//! The tokens: two constants (`packed`) for what there is much of, quotes for the rest.

use migrate_core::{Migration, Problem, Severity, SqlMigration, digest};
use proc_macro::LexError;
use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Ident, Path};

use crate::attribute::{Back, Code};
use crate::embed::{self, Folder};

mod packed;

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
pub(crate) fn embedded(
    folder: &Folder,
    krate: &Path,
    targets: &[u8],
) -> Result<TokenStream, LexError> {
    let migrations = &folder.contents.migrations;
    let packed = packed::packed(krate, migrations)?;
    let digest = digest(migrations.iter().map(|migration| migration as &dyn Migration));
    let digest = Literal::byte_string(digest.as_bytes());
    let targets = Literal::byte_string(targets);
    let (path, files) = (&folder.path, packed::strings(&folder.names)?);
    let on_disk = embed::root().join(path).display().to_string();
    // Named in the tokens, so that a change of it compiles the crate again.
    let settings =
        folder.settings.iter().map(|file| embed::root().join(file).display().to_string());
    Ok(quote! {{
        #(const _: &[u8] = ::core::include_bytes!(#settings);)*
        #krate::Embedded {
            folder: #krate::core::Folder {
                path: #path,
                packed: #packed,
                digest: #krate::core::Checksum::from_bytes(*#digest),
                on_disk: if ::core::cfg!(debug_assertions) {
                    ::core::option::Option::Some(#on_disk)
                } else {
                    ::core::option::Option::None
                },
                files: if ::core::cfg!(debug_assertions) { &#files } else { &[] },
                targets: #targets,
            },
            build: ::core::concat!(
                ::core::env!("CARGO_PKG_NAME"),
                " ",
                ::core::env!("CARGO_PKG_VERSION"),
            ),
        }
    }})
}

/// The implementations for a single migration.
pub(crate) fn migration(
    ident: &Ident,
    krate: &Path,
    declared: &SqlMigration,
    code: Option<&Code>,
) -> Result<TokenStream, LexError> {
    let packed = packed::packed(krate, std::slice::from_ref(declared))?;
    let beside = match code {
        Some(Code { batches: Some(_), .. }) => quote!(backfill),
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
            static ROW: ::std::sync::LazyLock<#krate::core::SqlMigration> =
                ::std::sync::LazyLock::new(|| #krate::core::Packed::only(#packed));

            #[automatically_derived]
            impl #krate::core::Migration for #ident {
                fn id(&self) -> #krate::core::MigrationId {
                    #krate::core::Migration::id(&*ROW)
                }
                fn name(&self) -> &str {
                    #krate::core::Migration::name(&*ROW)
                }
                fn up(&self) -> &[#krate::core::Step] {
                    #krate::core::Migration::up(&*ROW)
                }
                fn down(&self) -> #krate::core::Down<'_> {
                    #krate::core::Migration::down(&*ROW)
                }
                fn checksum(&self) -> #krate::core::Checksum {
                    #krate::core::Migration::checksum(&*ROW)
                }
                fn after(&self) -> &[#krate::core::MigrationId] {
                    #krate::core::Migration::after(&*ROW)
                }
                fn lock_timeout(&self) -> ::core::option::Option<::core::time::Duration> {
                    #krate::core::Migration::lock_timeout(&*ROW)
                }
            }
        };
    })
}

fn functions(ident: &Ident, krate: &Path, code: &Code) -> TokenStream {
    if code.batches.is_some() {
        return of_batches(ident, krate, &code.run);
    }
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

/// The same for a function that is called for each batch.
fn of_batches(ident: &Ident, krate: &Path, path: &Path) -> TokenStream {
    let call = quote_spanned! {syn::spanned::Spanned::span(path)=>
        ::core::result::Result::map_err(#path(connection, rows).await, ::core::convert::Into::into)
    };
    quote! {
        #[#krate::async_trait]
        impl #krate::Backfill for #ident {
            async fn batch(
                &self,
                connection: &mut #krate::PgConnection,
                rows: &#krate::Rows,
            ) -> ::core::result::Result<u64, #krate::BoxError> {
                #call
            }
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
pub(crate) fn warning(message: &str, place: Span) -> TokenStream {
    quote_spanned! {place=>
        const _: () = {
            #[deprecated(note = #message)]
            #[allow(non_upper_case_globals)]
            const migrations: () = ();
            migrations
        };
    }
}
