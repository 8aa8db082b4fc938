//! Which packages, and where in them the folders are. Knows nothing of how they are got or run.

/// A package of a registry.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) from: Origin,
    /// Where to look for folders.
    pub(crate) below: &'static str,
    /// The ones that are there, below that; one more or less is an error, so that none vanishes unseen.
    pub(crate) folders: &'static [&'static str],
    /// Others there whose files have such names, and are something else.
    pub(crate) look_alikes: &'static [&'static str],
    /// For files that only the package's own program can run as they are.
    pub(crate) prepare: Option<Prepare>,
    pub(crate) needs: Option<Need>,
    pub(crate) fails: Option<Fails>,
}

/// The registry that a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// With what its manifest entry says beside the version: what keeps cargo from asking for more than it has to.
    Crate(&'static str),
    Npm,
    PyPi,
}

/// What is done to the files of a folder, once, for psql and for migrate: they are numbered in the order of their
/// names, and this.
#[derive(Clone, Copy)]
pub(crate) struct Prepare {
    /// The mark in the texts where the package's program writes a name, and the name.
    pub(crate) fill: Option<(&'static str, &'static str)>,
    /// What the names of files have in them that are meant for the time when the new code serves.
    pub(crate) contract: Option<&'static str>,
    /// The comment that tells the package's program where a statement ends.
    pub(crate) between: Option<&'static str>,
}

/// What the package makes before its files run, and they count on.
pub(crate) struct Need {
    pub(crate) sql: &'static str,
    /// The tables among that.
    pub(crate) tables: &'static [&'static str],
    pub(crate) because: &'static str,
}

/// Where its files cannot run, whoever runs them.
pub(crate) struct Fails {
    /// On these major versions.
    pub(crate) on: fn(u32) -> bool,
    pub(crate) because: &'static str,
}

impl Package {
    /// Told from a crate by the name of its registry.
    pub(crate) fn shown(&self) -> String {
        let registry = match self.from {
            Origin::Crate(_) => "",
            Origin::Npm => " (npm)",
            Origin::PyPi => " (PyPI)",
        };
        format!("{} {}{registry}", self.name, self.version)
    }
}

/// What most packages are like: nothing has to be done to them.
const PLAIN: Package = Package {
    name: "",
    version: "",
    from: Origin::Crate(""),
    below: "migrations",
    folders: &[""],
    look_alikes: &[],
    prepare: None,
    needs: None,
    fails: None,
};

pub(crate) const PACKAGES: [Package; 8] = [
    Package { name: "apalis-postgres", version: "1.0.0", ..PLAIN },
    Package { name: "atuin-server-postgres", version: "18.20.1", fails: Some(ATUIN), ..PLAIN },
    Package { name: "sqlxmq", version: "0.6.0", fails: Some(SQLXMQ), ..PLAIN },
    Package { name: "underway", version: "0.2.0", needs: Some(UNDERWAY), ..PLAIN },
    Package {
        name: "sqlx",
        version: "0.9.0",
        from: Origin::Crate(", default-features = false"),
        below: "tests/postgres",
        folders: &["migrations", "migrations_no_tx", "migrations_reversible", "migrations_simple"],
        look_alikes: &["fixtures/rustsec"],
        ..PLAIN
    },
    Package {
        name: "graphile_worker_migrations",
        version: "0.4.24",
        from: Origin::Crate(", default-features = false"),
        below: "src/sql",
        prepare: Some(Prepare { between: Some("-- graphile-worker-rs:statement"), ..GRAPHILE }),
        needs: Some(GRAPHILE_SCHEMA),
        ..PLAIN
    },
    Package {
        name: "graphile-worker",
        version: "0.17.3",
        from: Origin::Npm,
        below: "sql",
        prepare: Some(GRAPHILE),
        needs: Some(GRAPHILE_SCHEMA),
        ..PLAIN
    },
    Package {
        name: "procrastinate",
        version: "3.10.0",
        from: Origin::PyPi,
        below: "procrastinate/sql",
        folders: &["migrations"],
        // The whole schema and the queries in one file each, and what a later release will drop.
        look_alikes: &["", "future_migrations"],
        prepare: Some(Prepare { contract: Some("_post_"), ..NUMBERED }),
        ..PLAIN
    },
];

const ATUIN: Fails = Fails {
    on: |major| major < 14,
    because: "On PostgreSQL 13 its file 20230515221038 fails, by psql as by migrate: `CREATE OR REPLACE TRIGGER` \
        came with 14.",
};

const SQLXMQ: Fails = Fails {
    on: |major| major >= 17,
    because: "From PostgreSQL 17 on its first file fails, by psql as by migrate: the function behind an index calls \
        another by its bare name, and `CREATE INDEX` does not look at the search path any more.",
};

const UNDERWAY: Need = Need {
    sql: "CREATE SCHEMA underway;
CREATE TABLE underway._sqlx_migrations (
    version bigint PRIMARY KEY,
    description text NOT NULL,
    installed_on timestamptz NOT NULL DEFAULT now(),
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);",
    tables: &["underway._sqlx_migrations"],
    because: "The first file is made for a database where sqlx has put its own history into the schema `underway` \
        (what `underway::run_migrations` does first): elsewhere it fails, by psql as by migrate. Both get that schema \
        and that table beforehand.",
};

const NUMBERED: Prepare = Prepare { fill: None, contract: None, between: None };

const GRAPHILE: Prepare =
    Prepare { fill: Some((":GRAPHILE_WORKER_SCHEMA", "graphile_worker")), ..NUMBERED };

const GRAPHILE_SCHEMA: Need = Need {
    sql: "CREATE SCHEMA graphile_worker",
    tables: &[],
    because: "The schema is made by the package's program before the first file runs (with a history in it that no \
        file looks at): without it that file fails, by psql as by migrate. Both get the empty schema beforehand.",
};

/// A package whose folder is read and not run from end to end: some of its files are programs.
pub(crate) const SYNAPSE: Package = Package {
    name: "matrix-synapse",
    version: "1.163.2",
    from: Origin::PyPi,
    below: "synapse/storage/schema",
    ..PLAIN
};

/// The package of this name.
pub(crate) fn known(name: &str) -> Option<&'static Package> {
    PACKAGES.iter().find(|known| known.name == name)
}
