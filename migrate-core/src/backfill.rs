//! A change of data in batches: what is declared, and the SQL of one batch.
//!
//! Owns the description, the placeholders of its statement and the condition that chooses the rows of a batch. Which
//! batch comes next, how large it is and who runs it is the runner's to know: nothing here asks a database.

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::sql::lexer::{Lexer, Token, TokenKind};
use crate::sql::quote;
use crate::{Checksum, Header, Script};

/// What `-- migrate: backfill users by id batch 5000` says, and what changes the rows of one batch.
///
/// The head stands in a text and is read when it is needed: a table of thousands of migrations has no room for what
/// few of them need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// A statement, below its directives.
    Sql(Script),
    /// Rust code of the application.
    Code {
        /// Declared by its author, who raises it when the code changes what it does.
        revision: u32,
        /// The directives, as they would stand in a file.
        head: Cow<'static, str>,
    },
}

/// `backfill users by id batch 5000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    /// The table whose rows are read, as it was written.
    pub table: String,
    /// How its rows are put into batches.
    pub by: By,
    /// Rows in the first batch; how many are in the next is then measured.
    pub batch: u32,
}

/// How the rows of a table are put into batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// In the order of a unique key, whose columns these are.
    Key(Vec<String>),
    /// In the order in which they stand in the table, a number of pages at a time.
    Pages {
        /// Into how many batches the rows of some pages are dealt, so that the old versions of one make room for
        /// the new versions of the next; 1 is one batch.
        stripes: u32,
    },
}

impl Batches {
    /// Reads what stands behind `backfill`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (table, rest) = text.split_once(" by ")?;
        let (rest, batch) = number_behind(rest, " batch ")?;
        let (key, stripes) = number_behind(rest, " stripes ")?;
        let by = match (columns(key)?.as_slice(), stripes) {
            ([ctid], stripes) if ctid == "ctid" => By::Pages { stripes: stripes.unwrap_or(1) },
            (columns, None) => By::Key(columns.to_vec()),
            (_, Some(_)) => return None,
        };
        let is_possible =
            stripes.is_none_or(|stripes| stripes.is_power_of_two() && (2..=64).contains(&stripes));
        let (table, batch) = (table.trim().to_owned(), batch.unwrap_or(Self::USUAL));
        (is_possible && batch > 0 && !table.is_empty()).then_some(Self { table, by, batch })
    }

    /// Where nobody has said how many rows are in the first batch.
    const USUAL: u32 = 1_000;
}

/// Splits off a word and its number at the end, where they stand there.
fn number_behind<'t>(text: &'t str, word: &str) -> Option<(&'t str, Option<u32>)> {
    match text.rsplit_once(word) {
        Some((rest, number)) => Some((rest, Some(number.trim().parse().ok()?))),
        None => Some((text, None)),
    }
}

/// Names between commas, perhaps in parentheses, as PostgreSQL reads them.
fn columns(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let tokens = Lexer::new(inner).filter(|token| !token.kind.is_trivia()).collect::<Vec<_>>();
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match (index % 2, token.kind, token.text(inner)) {
            (0, TokenKind::Word, word) => names.push(word.to_lowercase()),
            (0, TokenKind::QuotedIdent, quoted) => {
                names.push(quoted.strip_prefix('"')?.strip_suffix('"')?.replace("\"\"", "\""));
            }
            (1, _, ",") => {}
            _ => return None,
        }
    }
    (tokens.len() % 2 == 1).then_some(names)
}

impl fmt::Display for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} batch {}", self.table, self.by, self.batch)
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Key(columns) => f.write_str(&columns.join(", ")),
            By::Pages { stripes: 1 } => f.write_str("ctid"),
            By::Pages { stripes } => write!(f, "ctid stripes {stripes}"),
        }
    }
}

impl Backfill {
    /// All that its directives say.
    pub fn header(&self) -> Header {
        let head = match self {
            Backfill::Sql(script) => &script.text,
            Backfill::Code { head, .. } => head,
        };
        Header::parse(head).0
    }

    /// The statement, where it is one.
    pub fn script(&self) -> Option<&Script> {
        match self {
            Backfill::Sql(script) => Some(script),
            Backfill::Code { .. } => None,
        }
    }

    /// The text of the statement that changes a batch, where it is one.
    pub fn statement(&self) -> Option<&str> {
        let script = self.script()?;
        Some(script.statement(script.statements.first()?))
    }

    /// What identifies it, whatever its blanks and comments.
    pub fn checksum(&self) -> Checksum {
        match self {
            Backfill::Sql(script) => Checksum::of_sql(&script.text),
            Backfill::Code { revision, .. } => Checksum::of_code(*revision),
        }
    }
}

/// A name for the rows of a batch, in the text of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder<'t> {
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What it stands for.
    pub kind: PlaceholderKind<'t>,
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceholderKind<'t> {
    /// `:batch` or `:batch(u)`: the condition that chooses the rows, with the table under this name.
    Batch(Option<&'t str>),
    /// `:table`: the table, or the partition of it whose turn it is.
    Table,
}

/// The placeholders of a statement, in order.
pub fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    let tokens: Vec<Token> = Lexer::new(text).collect();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let rest = tokens.get(index..).unwrap_or_default();
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        // `a[1:batch]` is a slice of an array.
        let is_bound = before.is_some_and(|before| {
            matches!(before.kind, TokenKind::Word | TokenKind::Number | TokenKind::QuotedIdent)
        });
        if token.text(text) == ":" && !is_bound {
            found.extend(placeholder(text, rest));
        }
    }
    found
}

fn placeholder<'t>(text: &'t str, tokens: &[Token]) -> Option<Placeholder<'t>> {
    let [colon, name, rest @ ..] = tokens else { return None };
    let (kind, end) = match name.text(text).to_ascii_lowercase().as_str() {
        "table" => (PlaceholderKind::Table, name.end),
        "batch" => match rest {
            [open, alias, close, ..]
                if open.text(text) == "("
                    && matches!(alias.kind, TokenKind::Word | TokenKind::QuotedIdent)
                    && close.text(text) == ")" =>
            {
                (PlaceholderKind::Batch(Some(alias.text(text))), close.end)
            }
            _ => (PlaceholderKind::Batch(None), name.end),
        },
        _ => return None,
    };
    Some(Placeholder { start: colon.start, end, kind })
}

/// A statement with something in the place of each placeholder.
pub fn fill(text: &str, value: impl Fn(PlaceholderKind<'_>) -> String) -> String {
    let mut filled = String::with_capacity(text.len() * 2);
    let mut from = 0;
    for placeholder in placeholders(text) {
        filled.push_str(text.get(from..placeholder.start).unwrap_or_default());
        filled.push_str(&value(placeholder.kind));
        from = placeholder.end;
    }
    filled.push_str(text.get(from..).unwrap_or_default());
    filled
}

/// The statement as whoever parses SQL may read it: about all rows of the table, and everything in its place.
pub fn readable(text: &str, table: &str) -> String {
    let mut filled = text.to_owned();
    for placeholder in placeholders(text).iter().rev() {
        let length = placeholder.end - placeholder.start;
        let value = match placeholder.kind {
            PlaceholderKind::Batch(_) => "(true)",
            PlaceholderKind::Table => table,
        };
        filled.replace_range(placeholder.start..placeholder.end, &format!("{value:length$}"));
    }
    filled
}

/// Where a byte of the filled statement comes from in the original.
pub fn original(
    text: &str,
    position: usize,
    value: impl Fn(PlaceholderKind<'_>) -> String,
) -> usize {
    let (mut there, mut here) = (0, 0);
    for placeholder in placeholders(text) {
        let begins = there + (placeholder.start - here);
        if position < begins {
            break;
        }
        (there, here) = (begins + value(placeholder.kind).len(), placeholder.end);
        if position < there {
            return placeholder.start;
        }
    }
    here + (position - there)
}

/// A column of a key, with the type that its values are read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as PostgreSQL writes it out.
    pub of_type: String,
}

/// Some rows of a table, between two places in its order. A place is the text of each value of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<'s> {
    /// They come after this place; `None` is the beginning.
    pub after: Option<&'s [String]>,
    /// The last of them is here; `None` is the end.
    pub up_to: Option<&'s [String]>,
}

/// The condition that chooses the rows of a span of a key, under the name that a table has in a statement.
///
/// A comparison of rows is a condition on the index of all columns, which the same spelled with `OR` is not.
///
/// ```
/// use migrate_core::backfill::{Column, Span, by_key};
/// let key = [Column { name: "id".into(), of_type: "bigint".into() }];
/// let span = Span { after: Some(&["5".to_owned()]), up_to: Some(&["9".to_owned()]) };
/// assert_eq!(by_key(&key, span, Some("u")), "(u.\"id\" > (E'5')::bigint AND u.\"id\" <= (E'9')::bigint)");
/// ```
pub fn by_key(key: &[Column], span: Span<'_>, table: Option<&str>) -> String {
    let columns = key.iter().map(|column| qualified(&column.name, table));
    let columns = row(columns.collect());
    let place = |values: &[String]| {
        let typed = key.iter().zip(values).map(|(column, value)| typed(value, &column.of_type));
        row(typed.collect())
    };
    let mut conditions = Vec::new();
    conditions.extend(span.after.map(|after| format!("{columns} > {}", place(after))));
    conditions.extend(span.up_to.map(|up_to| format!("{columns} <= {}", place(up_to))));
    if conditions.is_empty() {
        "(true)".to_owned()
    } else {
        format!("({})", conditions.join(" AND "))
    }
}

/// Some rows of some pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The first page.
    pub from: u64,
    /// Behind the last page.
    pub to: u64,
    /// Which of the stripes, from 0.
    pub stripe: u32,
    /// Of how many; a power of two.
    pub stripes: u32,
}

/// The condition that chooses them, under the name that a table has in a statement.
pub fn by_pages(pages: Pages, table: Option<&str>) -> String {
    let Pages { from, to, stripe, stripes } = pages;
    let ctid = qualified("ctid", table);
    let mut condition = format!("({ctid} >= '({from},0)'::tid AND {ctid} < '({to},0)'::tid");
    if stripes > 1 {
        let mask = stripes - 1;
        let _ = write!(condition, " AND (pg_catalog.hashtid({ctid}) & {mask}) = {stripe}");
    }
    condition + ")"
}

fn qualified(column: &str, table: Option<&str>) -> String {
    let column = quote::Ident::new(column).map(|ident| ident.to_string()).unwrap_or_default();
    match table {
        Some(table) => format!("{table}.{column}"),
        None => column,
    }
}

fn typed(value: &str, of_type: &str) -> String {
    format!("({})::{of_type}", quote::literal(value).unwrap_or_default())
}

/// One value stands by itself: a row of one is no condition on an index.
fn row(mut values: Vec<String>) -> String {
    match values.as_mut_slice() {
        [one] => std::mem::take(one),
        all => format!("({})", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_put_rows_into_batches_are_read_and_written() {
        let read = |text: &str| Batches::parse(text).map(|batches| batches.to_string());
        for text in [
            "users by id batch 5000",
            "app.users by tenant, id batch 10",
            "users by ctid batch 1000",
            "users by ctid stripes 8 batch 1000",
        ] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
        let keys = |text: &str| Batches::parse(text).map(|batches| batches.by);
        assert_eq!(
            keys("users by (Tenant, \"Id\")"),
            Some(By::Key(vec!["tenant".into(), "Id".into()]))
        );
        assert_eq!(read("users by id").as_deref(), Some("users by id batch 1000"));
        for text in [
            "users",
            "users by",
            "users by id batch 0",
            "users by id batch many",
            "users by id stripes 8",
            "users by ctid stripes 3",
            "users by lower(id)",
            "users by id,",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    const TEXT: &str = "UPDATE :table u SET n = f(u.o) FROM b WHERE :batch(u) AND b.a[1:batch] = u.x::batch AND ':batch' <> '' -- :batch";

    #[test]
    fn placeholders_are_found_where_they_mean_something() {
        let kinds: Vec<_> = placeholders(TEXT).iter().map(|p| p.kind).collect();
        assert_eq!(kinds, [PlaceholderKind::Table, PlaceholderKind::Batch(Some("u"))]);
        let kinds: Vec<_> = placeholders("where :batch and (a)").iter().map(|p| p.kind).collect();
        assert_eq!(kinds, [PlaceholderKind::Batch(None)]);
        assert_eq!(placeholders(": batch :batches :"), []);
    }

    #[test]
    fn they_are_filled_and_what_comes_of_it_is_found_again() {
        let value = |kind: PlaceholderKind<'_>| match kind {
            PlaceholderKind::Batch(alias) => format!("({}.id > 5)", alias.unwrap_or("?")),
            PlaceholderKind::Table => "app.users_2026".to_owned(),
        };
        let filled = fill(TEXT, value);
        assert!(
            filled
                .starts_with("UPDATE app.users_2026 u SET n = f(u.o) FROM b WHERE (u.id > 5) AND")
        );
        for word in ["UPDATE", "SET", "b.a[1", "<>"] {
            let (there, here) = (filled.find(word).unwrap(), TEXT.find(word).unwrap());
            assert_eq!(original(TEXT, there, value), here, "{word}");
        }
        assert_eq!(
            original(TEXT, filled.find("id > 5").unwrap(), value),
            TEXT.find(":batch").unwrap()
        );
    }

    #[test]
    fn a_parser_reads_it_with_everything_in_its_place() {
        let read = readable("UPDATE users u SET a = 1 WHERE :batch(u) AND b", "users");
        assert_eq!(read, "UPDATE users u SET a = 1 WHERE (true)    AND b");
        assert_eq!(readable("UPDATE :table SET a = 1", "users"), "UPDATE users  SET a = 1");
    }

    #[test]
    fn a_span_of_a_key_of_two_columns_compares_rows() {
        let key = ["a", "B"].map(|name| Column { name: name.into(), of_type: "text".into() });
        let (from, to) = (["x".to_owned(), "o'y\\".to_owned()], ["z".to_owned(), "1".to_owned()]);
        let span = Span { after: Some(&from), up_to: Some(&to) };
        assert_eq!(
            by_key(&key, span, None),
            "((\"a\", \"B\") > ((E'x')::text, (E'o''y\\\\')::text) AND (\"a\", \"B\") <= ((E'z')::text, (E'1')::text))"
        );
        assert_eq!(by_key(&key, Span { after: None, up_to: None }, None), "(true)");
    }

    #[test]
    fn a_stripe_of_pages_is_chosen_by_the_place_of_a_row() {
        let all = Pages { from: 64, to: 128, stripe: 0, stripes: 1 };
        assert_eq!(
            by_pages(all, None),
            "(\"ctid\" >= '(64,0)'::tid AND \"ctid\" < '(128,0)'::tid)"
        );
        let striped = by_pages(Pages { stripe: 3, stripes: 8, ..all }, Some("u"));
        assert!(striped.ends_with(" AND (pg_catalog.hashtid(u.\"ctid\") & 7) = 3)"), "{striped}");
    }
}
