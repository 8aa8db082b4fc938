//! What the service is for: notes, by author. Knows nothing of migrations.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use sqlx::PgPool;

pub(crate) fn routes(pool: PgPool) -> Router {
    Router::new().route("/notes/{author}", get(read).post(write)).with_state(pool)
}

async fn read(
    State(pool): State<PgPool>,
    Path(author): Path<String>,
) -> Result<String, StatusCode> {
    let query = "SELECT body FROM notes WHERE author = $1 ORDER BY written_at";
    let bodies = sqlx::query_scalar(query).bind(author).fetch_all(&pool).await;
    let bodies: Vec<String> = bodies.map_err(failed)?;
    Ok(bodies.into_iter().map(|body| body + "\n").collect())
}

async fn write(
    State(pool): State<PgPool>,
    Path(author): Path<String>,
    body: String,
) -> Result<StatusCode, StatusCode> {
    let insert = sqlx::query("INSERT INTO notes (author, body) VALUES ($1, $2)");
    insert.bind(author).bind(body).execute(&pool).await.map_err(failed)?;
    Ok(StatusCode::CREATED)
}

fn failed(error: sqlx::Error) -> StatusCode {
    tracing::error!(%error, "a query failed");
    StatusCode::INTERNAL_SERVER_ERROR
}
