//! A migration written in Rust among migrations written in SQL.
//!
//! Articles get the address under which they are read, made of their title. What makes it is a function of the
//! application, which SQL cannot call; so the column and its index come from the folder, and what is in it from
//! here. All three run in the order of their versions.

use migrate_postgres::{Migration, Migrations};
use sqlx::PgConnection;

/// The folder, and what stands beside it.
#[derive(Migrations)]
#[migrations(dir = "migrations", down = "require", code(FillSlugs))]
pub struct AppMigrations;

/// Between the file that adds the column and the one that makes it unique.
///
/// `transaction = true`: all of it and its row in the history commit together, and an error takes all of it back.
/// A table too large for that would want `false`, and a function that bears to be run again.
///
/// `revision` is the checksum: what the function does is not looked at. Raise it when it comes to do something
/// else; a database on which the former one ran will say so.
#[derive(Migration)]
#[migration(
    version = 20261112140000,
    phase = "migrate",
    name = "fill_slugs",
    run = fill,
    undo = clear,
    revision = 1,
    transaction = true
)]
pub struct FillSlugs;

async fn fill(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let articles: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, title FROM articles WHERE slug IS NULL ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
    for (id, title) in articles {
        let update = sqlx::query("UPDATE articles SET slug = $1 WHERE id = $2");
        update.bind(slug(&title, id)).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn clear(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE articles SET slug = NULL").execute(connection).await?;
    Ok(())
}

/// The application calls it for new articles. A migration that uses such a function should have a copy of its own
/// as soon as the two have to differ: what was applied once must not do something else next year.
pub fn slug(title: &str, id: i64) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    format!("{}-{id}", words.join("-"))
}
