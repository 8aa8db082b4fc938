//! Placeholder.

mod test_attribute;

/// Exported by `migrate-testing`, which says what it does.
#[proc_macro_attribute]
pub fn test(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    test_attribute::expand(arguments, item)
}
