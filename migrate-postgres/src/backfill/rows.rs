//! The rows of one batch.
//!
//! Owns what a backfill written in Rust is told of them, and where the next batch begins. A value: asks nobody.

use std::fmt;

use migrate_core::backfill::{
    Column, Pages, PlaceholderKind, Span, by_key, by_pages, fill, original,
};

use super::state::{Hole, Place, Range};

/// The rows of one batch, for the code that changes them.
///
/// It gives the condition that chooses them, to stand in a statement: whatever the code selects and updates with it, no
/// other worker has at the same time.
#[derive(Clone, Debug)]
pub struct Rows {
    pub(super) relation: String,
    pub(super) chosen: Chosen,
}

/// How the rows of a batch are told from all others.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    Key { key: Vec<Column>, after: Option<Place>, up_to: Option<Place> },
    Pages(Pages),
}

impl Rows {
    /// The table, or the partition whose turn it is, quoted.
    pub fn table(&self) -> &str {
        &self.relation
    }

    /// The condition, where the statement has no other table: `format!("SELECT … FROM users WHERE {rows}")`.
    pub fn condition(&self) -> String {
        self.under(None)
    }

    /// The condition, with the table under a name: `format!("… FROM users u JOIN … WHERE {}", rows.of("u"))`.
    pub fn of(&self, name: &str) -> String {
        self.under(Some(name))
    }

    fn under(&self, name: Option<&str>) -> String {
        match &self.chosen {
            Chosen::Key { key, after, up_to } => {
                by_key(key, Span { after: after.as_deref(), up_to: up_to.as_deref() }, name)
            }
            Chosen::Pages(pages) => by_pages(*pages, name),
        }
    }

    fn value(&self, kind: PlaceholderKind<'_>) -> String {
        match kind {
            PlaceholderKind::Batch(name) => self.under(name),
            PlaceholderKind::Table => self.relation.clone(),
        }
    }

    /// A statement about these rows.
    pub(super) fn fill(&self, statement: &str) -> String {
        fill(statement, |kind| self.value(kind))
    }

    /// Where in the statement of the file a byte of the filled one comes from.
    pub(super) fn original(&self, statement: &str, position: usize) -> usize {
        original(statement, position, |kind| self.value(kind))
    }

    /// The same rows, for later.
    fn hole<T>(&self, filenode: Option<i64>, remember: impl FnOnce(&Hole<'_>) -> T) -> T {
        match &self.chosen {
            Chosen::Key { after, up_to, .. } => {
                remember(&Hole { after: after.as_deref(), up_to: up_to.as_deref(), filenode })
            }
            Chosen::Pages(Pages { from, to, .. }) => {
                let (from, to) = ([from.to_string()], [to.to_string()]);
                remember(&Hole { after: Some(&from), up_to: Some(&to), filenode })
            }
        }
    }
}

/// The condition alone.
impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.condition())
    }
}

/// A batch that is to be done, and where it leaves the range.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub(super) rows: Rows,
    /// How many rows it has, or is thought to have.
    pub(super) seen: i64,
    pub(super) cursor: Option<Place>,
    pub(super) up_to: Option<Place>,
    pub(super) filenode: Option<i64>,
    /// It is the last one of its range.
    pub(super) is_last: bool,
}

impl Next {
    /// Its rows, for later.
    pub(super) fn hole<T>(&self, remember: impl FnOnce(&Hole<'_>) -> T) -> T {
        self.rows.hole(self.filenode, remember)
    }
}

impl Range {
    /// Takes over what the table has when a batch is committed.
    pub(super) fn go_behind(&mut self, next: &Next) {
        self.cursor.clone_from(&next.cursor);
        self.up_to.clone_from(&next.up_to);
        self.filenode = next.filenode;
    }
}

/// What the server says of the pages of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paged {
    pub(super) filenode: Option<i64>,
    pub(super) pages: u64,
    pub(super) rows_a_page: f64,
}

/// How far a range is that goes by pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Window {
    from: u64,
    to: u64,
    /// The stripe whose turn it is; 0 is the first of a window that is to be chosen yet.
    stripe: u32,
}

impl Window {
    fn read(place: &[String]) -> Option<Self> {
        let [from, to, stripe] = place else { return None };
        Some(Self { from: from.parse().ok()?, to: to.parse().ok()?, stripe: stripe.parse().ok()? })
    }

    fn place(self) -> Place {
        vec![self.from.to_string(), self.to.to_string(), self.stripe.to_string()]
    }
}

/// The first number of a place that is a page.
fn page(place: Option<&Place>) -> Option<u64> {
    place.and_then(|place| place.first()).and_then(|page| page.parse().ok())
}

/// The next pages of a range, for about so many rows; `None` when there are none.
///
/// A table that was rewritten has its rows elsewhere: it is gone through from its beginning.
pub(super) fn next_pages(range: &Range, paged: Paged, stripes: u32, rows: u32) -> Option<Next> {
    let is_same = range.filenode.is_none() || range.filenode == paged.filenode;
    let cursor = range.cursor.as_deref().and_then(Window::read).filter(|_| is_same);
    let known_end = page(range.up_to.as_ref()).filter(|_| is_same || !range.is_last);
    let end = known_end.unwrap_or(paged.pages);
    let start = Window { from: page(range.after.as_ref()).unwrap_or(0), ..Window::default() };
    let mut window = cursor.unwrap_or(start);
    if window.stripe == 0 || window.stripe >= stripes {
        let a_page = if paged.rows_a_page > 0.0 { paged.rows_a_page } else { 50.0 };
        let pages = (f64::from(rows) * f64::from(stripes) / a_page).ceil().clamp(1.0, 1e6);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let pages = pages as u64;
        window = Window { to: (window.from + pages).min(end), stripe: 0, ..window };
    }
    if window.from >= end {
        return None;
    }
    let Window { from, to, stripe } = window;
    let behind = match stripe + 1 < stripes {
        true => Window { stripe: stripe + 1, ..window },
        false => Window { from: to, to, stripe: 0 },
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an estimate")]
    let seen = ((to - from) as f64 * paged.rows_a_page.max(0.0) / f64::from(stripes)) as i64;
    Some(Next {
        rows: Rows {
            relation: range.relation.clone(),
            chosen: Chosen::Pages(Pages { from, to, stripe, stripes }),
        },
        seen,
        cursor: Some(behind.place()),
        up_to: Some(vec![end.to_string()]),
        filenode: paged.filenode,
        is_last: behind.from >= end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> Range {
        Range {
            no: 1,
            relation: "t".into(),
            after: None,
            up_to: None,
            is_last: true,
            is_hole: false,
            cursor: None,
            filenode: None,
            fence: 1,
            batch_rows: None,
        }
    }

    /// Goes through a range and tells which pages and stripes came.
    fn through(mut range: Range, paged: Paged, stripes: u32) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(next) = next_pages(&range, paged, stripes, 100) {
            let Chosen::Pages(Pages { from, to, stripe, .. }) = next.rows.chosen else { panic!() };
            told.push(format!("{from}-{to}/{stripe}"));
            range.go_behind(&next);
        }
        told
    }

    #[test]
    fn a_place_in_what_was_sent_is_found_in_the_file() {
        let statement = "UPDATE t AS l SET a = b WHERE :batch(l) AND nwe";
        let key = vec![Column { name: "id".into(), of_type: "bigint".into() }];
        let up_to = Some(vec!["100".to_owned()]);
        let rows = Rows { relation: "t".into(), chosen: Chosen::Key { key, after: None, up_to } };
        let sent = rows.fill(statement);
        let (there, here) = (sent.find("nwe").unwrap(), statement.find("nwe").unwrap());
        assert_eq!(rows.original(statement, there), here, "{sent}");
    }

    #[test]
    fn every_page_has_its_turn_once_and_each_stripe_of_it() {
        let paged = Paged { filenode: Some(7), pages: 5, rows_a_page: 50.0 };
        assert_eq!(through(range(), paged, 1), ["0-2/0", "2-4/0", "4-5/0"]);
        assert_eq!(through(range(), paged, 2), ["0-4/0", "0-4/1", "4-5/0", "4-5/1"]);
        assert_eq!(through(range(), Paged { pages: 0, ..paged }, 8), [""; 0]);
        let middle =
            Range { after: Some(vec!["2".into()]), up_to: Some(vec!["4".into()]), ..range() };
        assert_eq!(through(middle, paged, 1), ["2-4/0"]);
    }

    #[test]
    fn a_table_that_was_rewritten_is_gone_through_from_its_beginning() {
        let paged = Paged { filenode: Some(7), pages: 5, rows_a_page: 50.0 };
        let first = next_pages(&range(), paged, 1, 100).unwrap();
        let range =
            Range { cursor: first.cursor, up_to: first.up_to, filenode: Some(7), ..range() };
        let told = through(range, Paged { filenode: Some(8), pages: 3, ..paged }, 1);
        assert_eq!(told, ["0-2/0", "2-3/0"]);
    }

    /// What was growing while it was gone through would have no end.
    #[test]
    fn pages_that_come_meanwhile_are_left_to_the_next_pass() {
        let paged = Paged { filenode: Some(7), pages: 2, rows_a_page: 50.0 };
        let first = next_pages(&range(), paged, 1, 100).unwrap();
        assert!(first.is_last);
        let range =
            Range { cursor: first.cursor, up_to: first.up_to, filenode: Some(7), ..range() };
        assert!(next_pages(&range, Paged { pages: 9, ..paged }, 1, 100).is_none());
    }
}
