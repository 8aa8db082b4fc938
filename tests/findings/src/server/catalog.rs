//! What exists, a line for each thing; for ways back.

use sqlx::{PgConnection, Row};

use crate::Result;

const LINES: &str = "
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT IN ('pg_catalog', 'information_schema')
    AND nspname NOT LIKE 'pg\\_%')
SELECT 'schema ' || nspname AS line FROM ours
UNION ALL SELECT CASE relkind WHEN 'i' THEN 'index ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
    WHEN 'm' THEN 'materialized view ' ELSE 'table ' END || c.oid::regclass
    FROM pg_class c JOIN ours ON ours.oid = relnamespace WHERE relkind <> 'c'
UNION ALL SELECT 'column ' || c.oid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod)
    || CASE WHEN attnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN ours ON ours.oid = relnamespace
    LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
UNION ALL SELECT 'constraint ' || conname || ' of ' || conrelid::regclass || ' ' || pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN ours ON ours.oid = connamespace WHERE conrelid <> 0 AND contype <> 'n'
UNION ALL SELECT 'type ' || t.oid::regtype || coalesce(' ' || (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder)
    FROM pg_enum WHERE enumtypid = t.oid), '')
    FROM pg_type t JOIN ours ON ours.oid = typnamespace WHERE typtype IN ('e', 'd')
UNION ALL SELECT 'function ' || p.oid::regprocedure FROM pg_proc p JOIN ours ON ours.oid = pronamespace
UNION ALL SELECT 'trigger ' || tgname || ' of ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
ORDER BY line";

pub(super) async fn lines(connection: &mut PgConnection) -> Result<Vec<String>> {
    let rows = sqlx::query(LINES).fetch_all(&mut *connection).await?;
    rows.into_iter().map(|row| Ok(row.try_get("line")?)).collect()
}

/// Too many tell no more.
const SHOWN: usize = 3;

pub(super) fn difference(before: &[String], after: &[String]) -> String {
    let left =
        after.iter().filter(|line| !before.contains(line)).map(|line| format!("there is {line}"));
    let gone =
        before.iter().filter(|line| !after.contains(line)).map(|line| format!("gone is {line}"));
    let mut all: Vec<String> = left.chain(gone).collect();
    if all.len() > SHOWN {
        let more = all.len() - SHOWN;
        all.truncate(SHOWN);
        all.push(format!("{more} more"));
    }
    if all.is_empty() {
        "all is as it was".to_owned()
    } else {
        format!("after it {}", all.join("; "))
    }
}
