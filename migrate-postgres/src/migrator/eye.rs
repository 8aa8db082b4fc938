//! What a migrator looks with before it works: the application's connection, or its own.
//!
//! Owns how one becomes the other. Sends nothing.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{PgConnection, Postgres};

use crate::error::Error;
use crate::options::{Direct, Options};
use crate::session::{self, Database, Session};

/// What a migrator looks with before it works: the application's connection, or its own.
pub(super) enum Eye {
    Pooled(PoolConnection<Postgres>, PgPool),
    Own(Box<Session>),
}

impl Eye {
    pub(super) async fn open(database: Database, options: &Options) -> Result<Self, Error> {
        match database {
            Database::Pool(pool) => {
                let connection = pool.acquire().await;
                let connection = connection
                    .map_err(|error| Error::driver("get a connection from the pool", error))?;
                Ok(Eye::Pooled(connection, pool))
            }
            Database::Options(connect) => {
                let session = Session::open(&connect, options).await?;
                Ok(Eye::Own(Box::new(session)))
            }
            Database::Connection(connection) => {
                Ok(Eye::Own(Box::new(Session::given(*connection, options))))
            }
        }
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        match self {
            Eye::Pooled(connection, _) => connection,
            Eye::Own(session) => &mut session.connection,
        }
    }

    /// A pool of one must have its connection back before we open ours.
    pub(super) async fn into_session(self, options: &Options) -> Result<Session, Error> {
        if let Some(Direct(direct)) = &options.direct {
            return self.into_direct(direct, options).await;
        }
        match self {
            Eye::Own(session) => Ok(*session),
            Eye::Pooled(connection, pool) => {
                drop(connection);
                Session::open(&pool.connect_options(), options).await
            }
        }
    }

    /// What is seen with one and done with the other has to be the same database.
    async fn into_direct(
        mut self,
        direct: &PgConnectOptions,
        options: &Options,
    ) -> Result<Session, Error> {
        let seen = session::whereabouts(self.connection()).await;
        self.close().await;
        let mut session = Session::open(direct, options).await?;
        let found = session::whereabouts(&mut session.connection).await;
        if seen.is_some() && found.is_some() && seen != found {
            session.close().await;
            return Err(Error::elsewhere());
        }
        Ok(session)
    }

    pub(super) async fn close(self) {
        match self {
            Eye::Pooled(..) => {}
            Eye::Own(session) => session.close().await,
        }
    }
}
