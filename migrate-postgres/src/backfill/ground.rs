//! What there is to go through: the table, its parts and the key that orders their rows.
//!
//! Owns which tables and keys can be gone through in batches without leaving a row out. Changes nothing.

use migrate_core::backfill::{Column, PlaceholderKind, placeholders};
use migrate_core::{Backfill, Batches, By};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::statement::changes_on_the_side;
use super::statements::{GROUND, GROUND_KEY};
use crate::error::Error;
use crate::sql::{self, literal};
use crate::wire::{number, rows, text, truth};

/// What a backfill goes through.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// The table, or its partitions one after another.
    pub(super) parts: Vec<String>,
    pub(super) order: Order,
    /// Rows, by the statistics of the server.
    pub(super) expected: i64,
    /// Rows in the first batch.
    pub(super) batch: u32,
}

/// The order of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Key(Vec<Column>),
    Pages { stripes: u32 },
}

impl Ground {
    pub(super) async fn look(
        connection: &mut PgConnection,
        identity: &str,
        backfill: &Backfill,
    ) -> Result<Self, Error> {
        let Some(batches) = backfill.header().backfill else {
            return Err(unusable("its head does not say what it goes through", HEAD));
        };
        let message =
            identity.to_owned() + &sql::fill(GROUND, &[("table", &literal(&batches.table))]);
        let found = rows(connection, message).await;
        let found =
            found.map_err(|error| Error::driver("look at the table of a backfill", error))?;
        refuse_what_nobody_counts(backfill)?;
        let parts = parts(&found, &batches, backfill)?;
        let order = match &batches.by {
            By::Pages { stripes } => pages(connection, *stripes)?,
            By::Key(columns) => key(connection, identity, &parts, columns).await?,
        };
        let expected = found.iter().filter_map(|row| number(row, "rows")).sum();
        Ok(Self { parts, order, expected, batch: batches.batch })
    }
}

/// One after another where the statement leaves room for it, else the table as a whole.
fn parts(found: &[PgRow], batches: &Batches, backfill: &Backfill) -> Result<Vec<String>, Error> {
    let table = &batches.table;
    let Some(first) = found.first().filter(|row| text(row, "part").is_some()) else {
        let next = "Name a table that is there when the backfill begins, with its schema where it is in another one.";
        return Err(unusable(&format!("there is no table `{table}`"), next));
    };
    let kind = text(first, "relkind").unwrap_or_default();
    if !matches!(kind, "r" | "p") {
        return Err(unusable(&format!("`{table}` is no table"), "Name the table behind it."));
    }
    refuse_pages_elsewhere(found, batches)?;
    let names_table = |text: &str| {
        placeholders(text).iter().any(|placeholder| placeholder.kind == PlaceholderKind::Table)
    };
    let names_table = backfill.script().is_none_or(|script| names_table(&script.text));
    let by_part = kind == "p" && names_table;
    if kind == "p" && !by_part && matches!(batches.by, By::Pages { .. }) {
        let next = "Write `:table` for the table in the statement, as in `UPDATE :table SET …`, so that each partition \
                    can take its place.";
        return Err(unusable(
            &format!("`{table}` is partitioned, and each partition has pages of its own"),
            next,
        ));
    }
    let column = if by_part { "part" } else { "relation" };
    let mut parts: Vec<String> =
        found.iter().filter_map(|row| text(row, column)).map(ToOwned::to_owned).collect();
    parts.dedup();
    Ok(parts)
}

/// Whether a row is left is told by how many a statement has changed.
fn refuse_what_nobody_counts(backfill: &Backfill) -> Result<(), Error> {
    if backfill.statement().is_none_or(|statement| !changes_on_the_side(statement)) {
        return Ok(());
    }
    let next = "Write one backfill for each table that is changed, or read in the `WITH` and change in what follows it.";
    Err(unusable("a query in its `WITH` changes rows, and nobody counts them", next))
}

/// Rows that a statement about the table changes, but that stand on the pages of another one.
fn refuse_pages_elsewhere(found: &[PgRow], batches: &Batches) -> Result<(), Error> {
    if !matches!(batches.by, By::Pages { .. }) {
        return Ok(());
    }
    let table = &batches.table;
    let inherits = |row: &PgRow| text(row, "relkind") == Some("r") && truth(row, "has_children");
    if found.iter().any(inherits) {
        let why = format!("other tables inherit from `{table}`, and each has pages of its own");
        return Err(unusable(
            &why,
            "Write a backfill for each of them, with `ONLY` in its statement, or go through the table by a unique key.",
        ));
    }
    match found.iter().find(|row| text(row, "part_kind") == Some("f")) {
        Some(row) => {
            let part = text(row, "part").unwrap_or_default();
            let why = format!("{part} is a foreign table, which has no pages here");
            Err(unusable(&why, OTHERWISE))
        }
        None => Ok(()),
    }
}

fn pages(connection: &PgConnection, stripes: u32) -> Result<Order, Error> {
    if connection.server_version_num().unwrap_or_default() < 140_000 {
        let next = "Go through the table by a unique key instead: `backfill <table> by <columns>`.";
        return Err(unusable("a table is gone through by its pages from PostgreSQL 14 on", next));
    }
    Ok(Order::Pages { stripes })
}

async fn key(
    connection: &mut PgConnection,
    identity: &str,
    parts: &[String],
    columns: &[String],
) -> Result<Order, Error> {
    let mut key = Vec::new();
    for part in parts {
        key = key_of(connection, identity, part, columns).await?;
    }
    Ok(Order::Key(key))
}

async fn key_of(
    connection: &mut PgConnection,
    identity: &str,
    part: &str,
    columns: &[String],
) -> Result<Vec<Column>, Error> {
    let names: Vec<_> = columns.iter().map(|column| literal(column)).collect();
    let array = format!("ARRAY[{}]", names.join(", "));
    let values = [("relation", literal(part)), ("columns", array)];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let found = rows(connection, identity.to_owned() + &sql::fill(GROUND_KEY, &values)).await;
    let found = found.map_err(|error| Error::driver("look at the key of a backfill", error))?;
    let mut key = Vec::new();
    for row in &found {
        let name = text(row, "name").unwrap_or_default();
        let Some(of_type) = text(row, "of_type") else {
            let next = "Name columns of the table.";
            return Err(unusable(&format!("{part} has no column `{name}`"), next));
        };
        if !truth(row, "not_null") {
            let why = format!(
                "column `{name}` of {part} may be NULL, and such a row has no place in its order"
            );
            return Err(unusable(&why, OTHERWISE));
        }
        key.push(Column { name: name.to_owned(), of_type: of_type.to_owned() });
    }
    if !found.first().is_some_and(|row| truth(row, "is_unique")) {
        let why = format!("{part} has no unique index on ({})", columns.join(", "));
        return Err(unusable(&why, OTHERWISE));
    }
    Ok(key)
}

const HEAD: &str = "Write `-- migrate: backfill <table> by <columns>` above the statement.";

const OTHERWISE: &str = "Name the columns of the primary key or of another unique key without NULL, in the order of its index, or go \
     through the pages of the table: `backfill <table> by ctid`.";

fn unusable(why: &str, next: &str) -> Error {
    Error::declaration(format!("failed to begin a backfill: {why}"))
        .now("no row was changed")
        .next(next)
}
