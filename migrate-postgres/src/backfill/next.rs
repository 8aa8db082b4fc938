//! Which rows are next: what is asked for them and what the answer means.
//!
//! Sends nothing.

use migrate_core::backfill::{Span, by_key};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::ground::{Ground, Order};
use super::rows::{Chosen, Next, Paged, Rows, next_pages};
use super::state::{Place, Range};
use super::statements::{NEXT_BY_KEY, NEXT_BY_PAGE};
use crate::sql::{self, ident, literal};
use crate::wire::{number, text};

impl Ground {
    /// Asks which rows are next.
    pub(super) fn look_for_next(&self, range: &Range, rows: u32) -> String {
        let key = match &self.order {
            Order::Pages { .. } => {
                return sql::fill(NEXT_BY_PAGE, &[("relation", &literal(&range.relation))]);
            }
            Order::Key(key) => key,
        };
        let after = range.cursor.as_deref().or(range.after.as_deref());
        let rest = by_key(key, Span { after, up_to: range.up_to.as_deref() }, None);
        let columns: Vec<_> = key.iter().map(|column| ident(&column.name)).collect();
        let as_text: Vec<_> = columns.iter().map(|column| format!("{column}::text")).collect();
        sql::fill(
            NEXT_BY_KEY,
            &[
                ("relation", &range.relation),
                ("rest", &rest),
                ("key", &columns.join(", ")),
                ("key_as_text", &as_text.join(", ")),
                ("rows", &rows.to_string()),
            ],
        )
    }

    /// Reads the answer. Where nothing changes, or what is old may not be cleared away, no room can be made for new rows.
    pub(super) fn next(
        &self,
        range: &Range,
        row: &PgRow,
        rows: u32,
        makes_room: bool,
    ) -> Option<Next> {
        let key = match &self.order {
            Order::Pages { stripes } => {
                let rows_a_page = text(row, "rows_a_page").and_then(|text| text.parse().ok());
                let paged = Paged {
                    filenode: number(row, "filenode"),
                    pages: number(row, "pages").and_then(|pages| pages.try_into().ok())?,
                    rows_a_page: rows_a_page.unwrap_or_default(),
                };
                let stripes = if makes_room && !range.is_hole { *stripes } else { 1 };
                return next_pages(range, paged, stripes, rows);
            }
            Order::Key(key) => key,
        };
        let seen = number(row, "n").filter(|n| *n > 0)?;
        let last = row.try_get::<Place, _>("place").ok()?;
        let is_last = seen < i64::from(rows);
        let after = range.cursor.clone().or_else(|| range.after.clone());
        let up_to = if is_last { range.up_to.clone() } else { Some(last.clone()) };
        let chosen = Chosen::Key { key: key.clone(), after, up_to };
        let relation = range.relation.clone();
        let up_to = range.up_to.clone();
        Some(Next {
            rows: Rows { relation, chosen },
            seen,
            cursor: Some(last),
            up_to,
            filenode: None,
            is_last,
        })
    }
}
