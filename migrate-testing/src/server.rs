//! The servers that tests borrow: what a [`Server`] is, and the ways to get one.
//!
//! This module owns the public face. It must not know how a server is found, made, kept or ended;
//! each of these is a module below. Nothing in here knows about migrations or templates.

mod cache;
mod cluster;
mod environment;
mod error;
mod given;
pub(crate) mod hash;
mod home;
mod install;
mod postmaster;
mod private;
mod probe;
mod provide;
mod searched;
mod shared;
mod url;
mod user;
mod version;
mod watchdog;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use environment::Environment;
use postmaster::{Launch, Settings};
use probe::Binaries;

pub use error::ServerError;
pub use install::SUPPORTED;
pub use private::PrivateServer;
pub use provide::fetch;

/// A PostgreSQL server that a test may use: one of our own, or one that the user named.
///
/// Clones are cheap and mean the same server. All that gets one blocks the calling thread (a few
/// milliseconds to a warm server, a few hundred to the first start on a machine), so an
/// asynchronous test does well to get it once.
#[derive(Clone, Debug)]
pub struct Server {
    access: Arc<Access>,
}

#[derive(Debug)]
enum Access {
    Own(Own),
    Given(Box<Given>),
}

/// A server that we started: the superuser `postgres` gets in through the socket, unasked.
#[derive(Clone, Debug)]
struct Own {
    binaries: Binaries,
    socket_dir: PathBuf,
    port: u16,
    tcp: bool,
    version: u32,
}

#[derive(Debug)]
struct Given {
    url: String,
    options: PgConnectOptions,
    version: u32,
}

impl Server {
    /// The server that all test processes of this user share, started if it does not run.
    ///
    /// The first call in a process registers the process as a user of the server until it ends;
    /// later calls are free. With `TEST_DATABASE_URL` set, this is that server instead.
    pub fn shared() -> Result<Server, ServerError> {
        Server::builder().shared()
    }

    /// A server for one test alone, which may stop, freeze and kill it.
    ///
    /// It ends with the value, and at once when the process dies. It is always one of our own,
    /// whatever `TEST_DATABASE_URL` says: nobody may do this to a server somebody else uses.
    pub fn private() -> Result<PrivateServer, ServerError> {
        Server::builder().private()
    }

    /// A server of our own with other settings than the usual.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The server at `url`, taken as it is: no setting is changed, and it is never stopped.
    ///
    /// The user it names has to be allowed to create databases.
    pub fn from_url(url: &str) -> Result<Server, ServerError> {
        let options = PgConnectOptions::from_str(url).map_err(ServerError::Url)?;
        let version = version::ask(&options).map_err(ServerError::Connect)?;
        let given = Given { url: url.to_owned(), options, version };
        Ok(Server::new(Access::Given(Box::new(given))))
    }

    fn new(access: Access) -> Server {
        Server { access: Arc::new(access) }
    }

    /// Options to connect to `database` with sqlx.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        match &*self.access {
            Access::Own(own) => own.options(database),
            Access::Given(given) => given.options.clone().database(database),
        }
    }

    /// The URL of `database`, as sqlx, `psql` and everything else built on libpq take it.
    pub fn url(&self, database: &str) -> String {
        match &*self.access {
            Access::Own(own) => url::of_socket(&own.socket_dir, own.port, database),
            Access::Given(given) => url::with_database(&given.url, database),
        }
    }

    /// The URL of `database` for other people's eyes.
    pub(crate) fn url_without_password(&self, database: &str) -> String {
        url::without_password(&self.url(database))
    }

    /// Has a shared server of our own outlive its last user by `seconds`.
    pub(crate) fn linger(&self, seconds: u64) {
        if let Access::Own(own) = &*self.access {
            shared::linger(&own.socket_dir, seconds);
        }
    }

    /// Where the server listens on TCP, if it was built with [`Builder::listen_tcp`].
    ///
    /// This is what to put a proxy in front of.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &*self.access {
            Access::Own(own) if own.tcp => Some((Ipv4Addr::LOCALHOST, own.port).into()),
            _ => None,
        }
    }

    /// A client program such as `psql` or `pg_dump`: the one that belongs to the server if it is
    /// there, else the one on `PATH`.
    pub fn bin(&self, name: &str) -> Option<PathBuf> {
        let own = match &*self.access {
            Access::Own(own) => own.binaries.program(name),
            Access::Given(_) => None,
        };
        own.or_else(|| probe::program_on_path(&Environment::path(), name))
    }

    /// The version as PostgreSQL counts it: 150018 is 15.18.
    pub fn version(&self) -> u32 {
        match &*self.access {
            Access::Own(own) => own.version,
            Access::Given(given) => given.version,
        }
    }

    /// Whether we started the server, so that it is fast, forgetful, and ours to load.
    pub fn is_own(&self) -> bool {
        matches!(&*self.access, Access::Own(_))
    }
}

impl Own {
    fn options(&self, database: &str) -> PgConnectOptions {
        // What the environment says of other servers (PGSSLMODE and the like) is not for this one.
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(self.port)
            .username("postgres")
            .ssl_mode(PgSslMode::Disable)
            .database(database)
    }
}

/// What a server of our own should be like.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    settings: Settings,
    bin: Option<PathBuf>,
}

impl Builder {
    /// Starts the server with `name` set to `value`, over the defaults of this crate.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Builder {
        self.settings.set(name, value);
        self
    }

    /// Runs the programs in this directory, whatever `MIGRATE_PG_BIN` says: for a process that needs several
    /// versions.
    #[must_use]
    pub fn bin(mut self, dir: impl Into<PathBuf>) -> Builder {
        self.bin = Some(dir.into());
        self
    }

    /// Listens on a free port of 127.0.0.1 too, for tests with a proxy in between.
    ///
    /// As on the socket, nobody is asked for a password: while the test runs, every user of this
    /// machine can get in.
    #[must_use]
    pub fn listen_tcp(mut self) -> Builder {
        self.settings.listen_tcp();
        self
    }

    /// The shared server with these settings: as [`Server::shared`], and apart from all servers
    /// with other settings. A server from `TEST_DATABASE_URL` stays as it is.
    pub fn shared(self) -> Result<Server, ServerError> {
        let environment = Environment::read()?;
        match &environment.url {
            Some(url) => given::get(url),
            None => shared::get(&self.launch(environment)?),
        }
    }

    /// A private server with these settings: as [`Server::private`].
    pub fn private(self) -> Result<PrivateServer, ServerError> {
        let environment = Environment::read()?;
        PrivateServer::start(self.launch(environment)?)
    }

    fn launch(self, mut environment: Environment) -> Result<Launch, ServerError> {
        environment.bin = self.bin.or(environment.bin);
        if environment.forbidden {
            return Err(ServerError::Forbidden);
        }
        Ok(Launch {
            binaries: provide::binaries(&environment)?,
            user: user::ServerUser::choose()?,
            settings: self.settings,
            environment,
        })
    }
}
