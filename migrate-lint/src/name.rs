//! Names of objects as a statement writes them.
//!
//! Owns folding (`Users` is `users`, `"Users"` is not) and quoting on the way back into advice. Knows nothing of
//! what exists, nor of a search path: that a name without a schema means some table is the schema's to say.

use std::fmt;

/// PostgreSQL's limit for names, in bytes.
const LIMIT: usize = 63;

/// A name, with its schema if it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// What stands before the dot.
    pub schema: Option<Box<str>>,
    /// The name itself, folded and cut.
    pub name: Box<str>,
}

impl Name {
    /// A name without a schema.
    pub fn bare(name: &str) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A name in a schema.
    pub fn qualified(schema: &str, name: &str) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }

    /// Of `database.schema.name` the last two count.
    pub fn of_segments(mut segments: Vec<Box<str>>) -> Option<Self> {
        let name = segments.pop()?;
        Some(Self { schema: segments.pop(), name })
    }

    /// Another name in the same schema.
    #[must_use]
    pub fn sibling(&self, name: &str) -> Self {
        Self { schema: self.schema.clone(), name: name.into() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", Quoted(schema))?;
        }
        Quoted(&self.name).fmt(f)
    }
}

/// A name as it has to be written: in quotes only where it needs them.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'n>(pub &'n str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) {
            return f.write_str(self.0);
        }
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

fn is_plain(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let continues = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    begins && name.bytes().all(continues) && RESERVED.binary_search(&name).is_err()
}

/// The identifier that was written, as the catalog has it.
pub fn fold(written: &str) -> Box<str> {
    let folded = match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => written.to_ascii_lowercase(),
    };
    cut(&folded).into()
}

/// What PostgreSQL keeps of a long name.
pub fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LIMIT)).unwrap_or(name)
}

/// The words that are no names without quotes, in order.
const RESERVED: [&str; 77] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "system_user",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_as_the_catalog_has_them() {
        for (written, expected) in
            [("Users", "users"), ("\"Users\"", "Users"), ("\"a\"\"b\"", "a\"b"), ("É", "É")]
        {
            assert_eq!(&*fold(written), expected);
        }
        assert_eq!(fold(&"x".repeat(70)).len(), LIMIT);
        assert_eq!(fold(&format!("{}é", "x".repeat(62))).len(), 62);
    }

    #[test]
    fn names_are_quoted_where_they_need_it() {
        for (name, expected) in [
            ("users", "users"),
            ("order", "\"order\""),
            ("Users", "\"Users\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(Quoted(name).to_string(), expected);
        }
        assert_eq!(Name::qualified("s", "T").to_string(), "s.\"T\"");
    }

    #[test]
    fn reserved_words_are_in_order() {
        assert!(RESERVED.is_sorted());
    }
}
