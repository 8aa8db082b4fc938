//! Which packages, and where in them the folders are. Knows nothing of how they are got or run.

/// A package of the registry.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// For its manifest entry: what keeps cargo from asking for more than it has to.
    pub(crate) options: &'static str,
    /// Where to look for folders.
    pub(crate) below: &'static str,
    /// The ones that are there, below that; one more or less is an error, so that none vanishes unseen.
    pub(crate) folders: &'static [&'static str],
    /// Others there whose files have such names, and are something else.
    pub(crate) look_alikes: &'static [&'static str],
    pub(crate) needs: Option<Need>,
}

/// What the package makes before its files run, and they count on.
pub(crate) struct Need {
    pub(crate) sql: &'static str,
    pub(crate) because: &'static str,
}

pub(crate) const PACKAGES: [Package; 5] = [
    Package {
        name: "apalis-postgres",
        version: "1.0.0",
        options: "",
        below: "migrations",
        folders: &[""],
        look_alikes: &[],
        needs: None,
    },
    Package {
        name: "atuin-server-postgres",
        version: "18.20.1",
        options: "",
        below: "migrations",
        folders: &[""],
        look_alikes: &[],
        needs: None,
    },
    Package {
        name: "sqlxmq",
        version: "0.6.0",
        options: "",
        below: "migrations",
        folders: &[""],
        look_alikes: &[],
        needs: None,
    },
    Package {
        name: "underway",
        version: "0.2.0",
        options: "",
        below: "migrations",
        folders: &[""],
        look_alikes: &[],
        needs: Some(UNDERWAY),
    },
    Package {
        name: "sqlx",
        version: "0.9.0",
        options: ", default-features = false",
        below: "tests/postgres",
        folders: &["migrations", "migrations_no_tx", "migrations_reversible", "migrations_simple"],
        look_alikes: &["fixtures/rustsec"],
        needs: None,
    },
];

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
    because: "The first file is made for a database where sqlx has put its own history into the schema `underway` \
        (what `underway::run_migrations` does first): elsewhere it fails, by psql as by migrate. Both get that schema \
        and that table beforehand.",
};

/// What a package needs, by its name.
pub(crate) fn need(package: &str) -> Option<Need> {
    PACKAGES.into_iter().find(|known| known.name == package).and_then(|package| package.needs)
}
