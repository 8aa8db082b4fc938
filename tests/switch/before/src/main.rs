//! A job queue: sends the jobs that it is called with, and lists those that wait.

use sqlx::postgres::PgPool;

const SEND: &str = "
    SELECT mq_insert(ARRAY[
        (uuid_generate_v4(), '0 s', 5, '1 s', 'work', '', NULL, true, $1, NULL, NULL)::mq_new_t
    ])";

const WAITING: &str = "
    SELECT name FROM mq_payloads JOIN mq_msgs USING (id) ORDER BY created_at, name";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = PgPool::connect(&std::env::var("DATABASE_URL")?).await?;
    sqlx::migrate!().run(&pool).await?;
    for job in std::env::args().skip(1) {
        sqlx::query(SEND).bind(job).execute(&pool).await?;
    }
    for job in sqlx::query_scalar::<_, String>(WAITING).fetch_all(&pool).await? {
        println!("{job}");
    }
    Ok(())
}
