//! Where one range of a table ends and the next begins, for several workers at a time.
//!
//! Owns the choice of the bounds: of pages by their number, of a key by a sample of it. Bounds need not be fair, only
//! some: every row is in one range, whatever they are.

use sqlx::Row;

use super::batch::AS_PLACES;
use super::ground::Order;
use super::state::Place;
use super::statements::{NEXT_BY_PAGE, SPLIT_BY_KEY};
use crate::error::Error;
use crate::session::Session;
use crate::sql::{self, ident, literal};
use crate::wire::{number, rows};

/// Rows of a key that are looked at.
const SAMPLE: f64 = 10_000.0;

/// The bounds between so many ranges; fewer where there is little to split.
pub(super) async fn bounds(
    session: &mut Session,
    part: &str,
    order: &Order,
    workers: u32,
    identity: &str,
) -> Result<Vec<Place>, Error> {
    if workers < 2 {
        return Ok(Vec::new());
    }
    let look = identity.to_owned() + &sql::fill(NEXT_BY_PAGE, &[("relation", &literal(part))]);
    let found = session.send(look).await.map_err(failed)?;
    let pages = found.as_ref().and_then(|row| number(row, "pages")).unwrap_or_default();
    let key = match order {
        Order::Pages { .. } => return Ok(by_pages(pages, workers)),
        Order::Key(key) => key,
    };
    let a_page = found.as_ref().and_then(|row| crate::wire::text(row, "rows_a_page")?.parse().ok());
    let expected =
        a_page.unwrap_or(50.0_f64).max(1.0) * f64::from(u32::try_from(pages).unwrap_or(u32::MAX));
    let percent = (SAMPLE * 100.0 / expected.max(1.0)).clamp(0.01, 100.0).to_string();
    let columns: Vec<_> = key.iter().map(|column| ident(&column.name)).collect();
    let as_text: Vec<_> = columns.iter().map(|column| format!("s.{column}::text")).collect();
    let split = sql::fill(
        SPLIT_BY_KEY,
        &[
            ("relation", part),
            ("key", &columns.join(", ")),
            ("key_as_text", &as_text.join(", ")),
            ("percent", &percent),
            ("workers", &workers.to_string()),
        ],
    );
    let found = rows(&mut session.connection, identity.to_owned() + AS_PLACES + &split)
        .await
        .map_err(failed)?;
    Ok(found.iter().filter_map(|row| row.try_get("place").ok()).collect())
}

fn failed(error: sqlx::Error) -> Error {
    Error::driver("split a table into ranges", error)
}

fn by_pages(pages: i64, workers: u32) -> Vec<Place> {
    let each = (pages / i64::from(workers)).max(1);
    let bounds = (1..i64::from(workers)).map(|n| n * each).filter(|bound| *bound < pages);
    bounds.map(|bound| vec![bound.to_string()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_split_where_there_are_some() {
        let bounds = |pages, workers| by_pages(pages, workers).concat().join(" ");
        assert_eq!(bounds(100, 4), "25 50 75");
        assert_eq!(bounds(3, 4), "1 2");
        assert_eq!(bounds(0, 4), "");
    }
}
