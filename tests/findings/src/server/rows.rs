//! Rows in all tables, and the statements of code that was written before the migration.

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::send;
use crate::Result;

/// A table as running code knows it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) oid: i64,
    pub(super) name: String,
    /// Reads all of its columns by name.
    pub(super) select: String,
    /// Writes a row, leaving out what has a default; `None` of what takes no row that can be made up.
    pub(super) insert: Option<String>,
    /// Plan an `ON CONFLICT` on each of its keys.
    pub(super) upserts: Vec<String>,
}

/// The columns of each key of a table.
const KEYS: &str = "
SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns
FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indrelid::int8 = $1 AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid ORDER BY i.indexrelid";

async fn upserts(connection: &mut PgConnection, oid: i64, name: &str) -> Result<Vec<String>> {
    let keys = sqlx::query(KEYS).bind(oid).fetch_all(&mut *connection).await?;
    let upsert = |row: sqlx::postgres::PgRow| {
        let columns: String = row.try_get("columns")?;
        Ok(format!("EXPLAIN INSERT INTO {name} DEFAULT VALUES ON CONFLICT ({columns}) DO NOTHING"))
    };
    keys.into_iter().map(upsert).collect()
}

/// Tables and views, the columns that they have, and for each a value that fits its type; that of an enum is its first.
const TABLES: &str = "
SELECT c.oid::int8 AS oid, c.oid::regclass::text AS name, c.relkind IN ('r', 'p') AS takes_rows,
    coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), '') AS columns,
    coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT has_value), '') AS written,
    coalesce(string_agg(v.value || '::' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
        FILTER (WHERE NOT has_value), '') AS values
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
CROSS JOIN LATERAL (SELECT a.atthasdef OR a.attidentity <> '' AS has_value) d
CROSS JOIN LATERAL (SELECT CASE
    WHEN NOT ($1 OR a.attnotnull) THEN 'NULL'
    WHEN b.typcategory = 'A' THEN '''{}'''
    WHEN b.typtype = 'e' THEN (SELECT quote_literal(enumlabel) FROM pg_enum
        WHERE enumtypid = b.oid ORDER BY enumsortorder LIMIT 1)
    WHEN b.typname IN ('int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'oid') THEN 'i'
    WHEN b.typname IN ('text', 'varchar', 'bpchar', 'name', 'citext') THEN '(''x'' || i)'
    WHEN b.typname = 'bool' THEN 'false'
    WHEN b.typname IN ('timestamptz', 'timestamp', 'date') THEN '(now() + i * interval ''1 day'')'
    WHEN b.typname = 'interval' THEN '(i * interval ''1 hour'')'
    WHEN b.typname = 'uuid' THEN 'gen_random_uuid()'
    WHEN b.typname IN ('json', 'jsonb') THEN '''{}'''
    WHEN b.typname = 'bytea' THEN 'int8send(i)'
    WHEN b.typname = 'inet' THEN '''127.0.0.1'''
    WHEN b.typname = 'tsvector' THEN ''''''
    ELSE 'NULL' END AS value) v
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
GROUP BY c.oid, c.relkind ORDER BY c.oid::regclass::text";

/// What the rows have in columns that may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filling {
    /// A value.
    Values,
    /// Nothing: some migrations refuse to run while certain columns have values.
    Nulls,
}

/// Three rows for each table, where they can be made up; foreign keys and triggers look away.
pub(super) async fn fill(connection: &mut PgConnection, filling: Filling) -> Result<Vec<Table>> {
    send(connection, "RESET ALL").await?;
    let is_full = filling == Filling::Values;
    let found = sqlx::query(TABLES).bind(is_full).fetch_all(&mut *connection).await?;
    let mut tables = Vec::new();
    for row in found {
        let text = |column: &str| row.try_get::<String, _>(column);
        let (name, columns) = (text("name")?, text("columns")?);
        let (written, values) = (text("written")?, text("values")?);
        let list = if written.is_empty() { written } else { format!("({written})") };
        let insert = format!("INSERT INTO {name} {list} SELECT {values} FROM generate_series");
        let mut table = Table {
            oid: row.try_get("oid")?,
            select: format!("SELECT {columns} FROM {name} LIMIT 0"),
            insert: None,
            upserts: upserts(connection, row.try_get("oid")?, &name).await?,
            name,
        };
        let takes_rows: bool = row.try_get("takes_rows")?;
        for last in [3, 1] {
            let several = format!("{insert}(1, {last}) i");
            if takes_rows && table.insert.is_none() && quietly(connection, &several).await.is_ok() {
                table.insert = Some(format!("{insert}(1001, 1001) i"));
            }
        }
        // A table with room for one row takes no other.
        let takes_more = match &table.insert {
            Some(insert) => {
                quietly(connection, &format!("{insert}; ROLLBACK; BEGIN")).await.is_ok()
            }
            None => false,
        };
        table.insert = table.insert.filter(|_| takes_more);
        tables.push(table);
    }
    Ok(tables)
}

/// In a transaction of its own, or in a part of the one that is open.
async fn quietly(connection: &mut PgConnection, insert: &str) -> Result<()> {
    let text = format!("BEGIN; SET LOCAL session_replication_role = replica; {insert}; COMMIT");
    let done = send(connection, &text).await;
    if done.is_err() {
        send(connection, "ROLLBACK").await?;
    }
    done
}

/// What of the old statements fails now: in words.
pub(super) async fn broken(connection: &mut PgConnection, old: &[Table]) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for table in old {
        let mut fails = false;
        for (what, statement) in statements(table) {
            // Whatever is asked of a table that cannot be read, fails alike.
            if fails && what.starts_with("upsert") {
                continue;
            }
            if let Some(code) = failure(connection, statement).await? {
                fails |= what.starts_with("SELECT");
                broken.push(format!("the {what} {} of before fails with {code}", table.name));
            }
        }
    }
    Ok(broken)
}

fn statements(table: &Table) -> impl Iterator<Item = (&'static str, &str)> {
    let upserts = table.upserts.iter().map(|upsert| ("upsert into", upsert.as_str()));
    let insert = table.insert.iter().map(|insert| ("INSERT into", insert.as_str()));
    [("SELECT from", table.select.as_str())].into_iter().chain(insert).chain(upserts)
}

/// Runs it as if nothing had happened, and gives the error's code.
async fn failure(connection: &mut PgConnection, statement: &str) -> Result<Option<String>> {
    let text = format!("SAVEPOINT old; SET LOCAL session_replication_role = replica; {statement}");
    let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await;
    let code = done.err().map(|error| super::state(&error));
    send(connection, "ROLLBACK TO old").await?;
    Ok(code)
}
