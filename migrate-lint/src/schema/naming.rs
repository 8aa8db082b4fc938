//! The names that PostgreSQL makes up.
//!
//! `table_column_key` and its like, cut to fit as the server cuts them (`makeObjectName`).

/// PostgreSQL's limit for names, in bytes.
const LIMIT: usize = 63;

/// `table_columns_label`, the first of them that is free.
pub(super) fn choose(
    table: &str,
    columns: &[&str],
    label: &str,
    is_taken: impl Fn(&str) -> bool,
) -> Box<str> {
    let columns = columns.join("_");
    let candidates =
        std::iter::once(label.to_owned()).chain((1_u32..).map(|number| format!("{label}{number}")));
    let mut names = candidates.map(|label| make(table, &columns, &label));
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// What is left of a table's name in any name that is made from it.
pub(super) fn what_is_kept(table: &str) -> &str {
    table.get(..table.floor_char_boundary(LIMIT / 2 - 3)).unwrap_or(table)
}

/// Cuts the longer of the two names until all fits.
fn make(table: &str, columns: &str, label: &str) -> Box<str> {
    let overhead = label.len() + 1 + usize::from(!columns.is_empty());
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second + overhead > LIMIT {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let cut = |text: &str, len: usize| {
        text.get(..text.floor_char_boundary(len)).unwrap_or_default().to_owned()
    };
    let (first, second) = (cut(table, first), cut(columns, second));
    match second.as_str() {
        "" => format!("{first}_{label}").into(),
        second => format!("{first}_{second}_{label}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_as_the_server_makes_them() {
        let free = |_: &str| false;
        assert_eq!(&*choose("users", &["email"], "key", free), "users_email_key");
        assert_eq!(&*choose("users", &[], "pkey", free), "users_pkey");
        assert_eq!(
            &*choose("users", &["a", "b"], "idx", |name| name == "users_a_b_idx"),
            "users_a_b_idx1"
        );
        let long = "x".repeat(60);
        assert_eq!(choose(&long, &["column"], "idx", free).len(), LIMIT);
        assert!(choose(&long, &["column"], "idx", free).ends_with("x_column_idx"));
    }
}
