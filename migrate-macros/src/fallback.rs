//! Keeps one error from becoming thirty.
//!
//! Beside the errors stand implementations that hold nothing, so that whatever uses the type still compiles
//! and the reader sees what is wrong, not what follows from it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

/// A folder without migrations.
pub(crate) fn migrations(input: &DeriveInput, krate: &Path, errors: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let empty = empty(krate);
    quote! {
        #errors

        #[automatically_derived]
        impl #generics #krate::Migrations for #ident #arguments #bounds {
            fn source(&self) -> #krate::Source {
                #krate::Migrations::source(&#empty)
            }
        }
    }
}

/// The same as an expression.
pub(crate) fn embedded(krate: &Path, errors: &TokenStream) -> TokenStream {
    let empty = empty(krate);
    quote!({ #errors #empty })
}

fn empty(krate: &Path) -> TokenStream {
    quote! {
        #krate::Embedded {
            folder: #krate::core::Folder {
                path: "",
                packed: #krate::core::Packed::EMPTY,
                digest: #krate::core::Checksum::from_bytes([0; 32]),
                on_disk: ::core::option::Option::None,
                files: &[],
                targets: &[],
            },
            build: "",
        }
    }
}

/// A migration that does nothing.
pub(crate) fn migration(input: &DeriveInput, krate: &Path, errors: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    if !input.generics.params.is_empty() {
        return errors.clone();
    }
    quote! {
        #errors

        #[automatically_derived]
        impl #krate::Listed for #ident {
            fn listed(self) -> #krate::Beside {
                ::core::unimplemented!()
            }
        }

        #[automatically_derived]
        impl #krate::core::Migration for #ident {
            fn id(&self) -> #krate::core::MigrationId {
                ::core::unimplemented!()
            }
            fn name(&self) -> &str {
                ""
            }
            fn up(&self) -> &[#krate::core::Step] {
                &[]
            }
            fn down(&self) -> #krate::core::Down<'_> {
                #krate::core::Down::Missing
            }
            fn checksum(&self) -> #krate::core::Checksum {
                ::core::unimplemented!()
            }
        }
    }
}
