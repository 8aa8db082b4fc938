//! One session of the application: does what chance says, and knows what its rows have to be.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};

use crate::Result;
use crate::operation::{By, Key, Operation};
use crate::shape::Shape;

/// What a row has in its old column; its new one follows from that.
pub(crate) type Rows = BTreeMap<i64, (i64, Option<String>)>;

pub(crate) struct Session {
    connection: PgConnection,
    shape: Shape,
    number: i64,
    pub(crate) rows: Rows,
}

impl Session {
    pub(crate) async fn open(
        options: &PgConnectOptions,
        shape: Shape,
        number: i64,
        rows: Rows,
    ) -> Result<Self> {
        let connection = options.clone().disable_statement_logging().connect().await?;
        Ok(Self { connection, shape, number, rows })
    }

    pub(crate) async fn close(self) -> Result<Rows> {
        self.connection.close().await?;
        Ok(self.rows)
    }

    /// Does it, and takes note.
    pub(crate) async fn does(&mut self, operation: &Operation) -> Result<()> {
        let done = match operation {
            Operation::Together(all, commits) => self.together(all, *commits).await,
            one => self.one(one).await,
        };
        done.map_err(|error| format!("session {}: {operation:?}: {error}", self.number).into())
    }

    async fn together(&mut self, all: &[Operation], commits: bool) -> Result<()> {
        let before = self.rows.clone();
        self.send("BEGIN").await?;
        for operation in all {
            self.one(operation).await?;
        }
        self.send(if commits { "COMMIT" } else { "ROLLBACK" }).await?;
        if !commits {
            self.rows = before;
        }
        Ok(())
    }

    async fn one(&mut self, operation: &Operation) -> Result<()> {
        match operation {
            Operation::Insert(by, key, value) => {
                let values = self.values(*by, *key, *value);
                self.send(&format!("INSERT INTO t (id, k, {}) VALUES ({values})", by.column()))
                    .await?;
                self.put(*key, *value);
            }
            Operation::Upsert(by, key, value) => self.upsert(*by, *key, *value).await?,
            Operation::Copy(rows) => self.copy(rows).await?,
            Operation::Update(by, keys, value) => self.update(*by, keys, *value).await?,
            Operation::Delete(keys) => {
                self.send(&format!("DELETE FROM t WHERE {}", of(keys))).await?;
                keys.iter().for_each(|(id, _)| drop(self.rows.remove(id)));
            }
            Operation::Rekey(key, to) => {
                self.send(&format!("UPDATE t SET id = {to} WHERE {}", of(&[*key]))).await?;
                if let Some(row) = self.rows.remove(&key.0) {
                    self.rows.insert(*to, row);
                }
            }
            Operation::Move(key) => {
                self.send(&format!("UPDATE t SET k = {} WHERE {}", 3 - key.1, of(&[*key]))).await?;
                self.rows.entry(key.0).and_modify(|row| row.0 = 3 - key.1);
            }
            Operation::Hold(key, value) => self.hold(*key, *value).await?,
            Operation::Together(..) => return Err("one inside another".into()),
        }
        Ok(())
    }

    async fn upsert(&mut self, by: By, key: Key, value: Option<u64>) -> Result<()> {
        let (column, values) = (by.column(), self.values(by, key, value));
        let before = self.rows.get(&key.0).cloned();
        let upsert = format!(
            "INSERT INTO t (id, k, {column}) VALUES ({values}) ON CONFLICT ({}) DO UPDATE SET {column} = EXCLUDED.{column} \
             RETURNING id, k, old",
            self.shape.key()
        );
        self.write(by, &upsert, value, before.map(|row| (key.0, row.1))).await?;
        let text = self.text(value);
        self.rows.entry(key.0).or_insert((key.1, text));
        Ok(())
    }

    async fn update(&mut self, by: By, keys: &[Key], value: Option<u64>) -> Result<()> {
        for key in keys {
            let Some((_, before)) = self.rows.get(&key.0).cloned() else { continue };
            let set = self.literal(by, value);
            let update = format!(
                "UPDATE t SET {} = {set} WHERE {} RETURNING id, k, old",
                by.column(),
                of(&[*key])
            );
            self.write(by, &update, value, Some((key.0, before))).await?;
        }
        Ok(())
    }

    /// Where new code writes NULL to a row that is not filled nobody can tell that from what was there: then, and only
    /// then, is the database believed.
    async fn write(
        &mut self,
        by: By,
        sql: &str,
        value: Option<u64>,
        before: Option<(i64, Option<String>)>,
    ) -> Result<()> {
        let rows =
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.connection).await?;
        let [row] = rows.as_slice() else {
            return Err(format!("{} rows were written", rows.len()).into());
        };
        let found: Option<String> = row.try_get("old")?;
        let Some((id, before)) = before else { return Ok(()) };
        let should = self.text(value);
        let is_unknowable = by == By::New && value.is_none() && found == before;
        if found != should && !is_unknowable {
            return Err(format!("it became {found:?} instead of {should:?}").into());
        }
        self.rows.entry(id).and_modify(|row| row.1 = found);
        Ok(())
    }

    async fn copy(&mut self, rows: &[(Key, Option<u64>)]) -> Result<()> {
        let lines = rows.iter().map(|((id, part), value)| {
            let value = self.text(*value).unwrap_or_else(|| "\\N".to_owned());
            format!("{id}\t{part}\t{value}\n")
        });
        let lines: String = lines.collect();
        let mut copy = self.connection.copy_in_raw("COPY t (id, k, old) FROM STDIN").await?;
        copy.send(lines.into_bytes()).await?;
        copy.finish().await?;
        rows.iter().for_each(|(key, value)| self.put(*key, *value));
        Ok(())
    }

    /// Longer than the filling waits for a row.
    async fn hold(&mut self, key: Key, value: u64) -> Result<()> {
        let hold = format!(
            "UPDATE t SET old = 's{} {value}' WHERE {}; SELECT pg_sleep(0.4)",
            self.number,
            of(&[key])
        );
        self.send(&hold).await?;
        let text = self.text(Some(value));
        self.rows.entry(key.0).and_modify(|row| row.1 = text);
        Ok(())
    }

    fn put(&mut self, key: Key, value: Option<u64>) {
        let text = self.text(value);
        self.rows.insert(key.0, (key.1, text));
    }

    fn text(&self, value: Option<u64>) -> Option<String> {
        value.map(|value| format!("s{} {value}", self.number))
    }

    fn literal(&self, by: By, value: Option<u64>) -> String {
        let prefix = if by == By::New { "n:" } else { "" };
        self.text(value).map_or_else(|| "NULL".to_owned(), |text| format!("'{prefix}{text}'"))
    }

    fn values(&self, by: By, (id, part): Key, value: Option<u64>) -> String {
        format!("{id}, {part}, {}", self.literal(by, value))
    }

    async fn send(&mut self, sql: &str) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await?;
        Ok(())
    }
}

impl By {
    fn column(self) -> &'static str {
        match self {
            By::Old => "old",
            By::New => "new",
        }
    }
}

fn of(keys: &[Key]) -> String {
    let ids: Vec<_> = keys.iter().map(|(id, _)| id.to_string()).collect();
    format!("id = ANY ('{{{}}}')", ids.join(","))
}
