//! The project that `init` is about: its package, its workspace, its folder of migrations.
//!
//! Owns how they are found, and looks; writes nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use migrate_core::Down;
use migrate_postgres::Source;

use crate::args::Init;
use crate::context::Context;
use crate::exit::Failure;
use crate::workspace;

pub(super) struct Project {
    /// Where the migrations are or will be.
    pub(super) folder: PathBuf,
    /// The same, as the package says it.
    pub(super) dir: String,
    /// Of the application.
    pub(super) package: PathBuf,
    /// Of its workspace, which may be the package.
    pub(super) root: PathBuf,
    /// What to type from then on.
    program: String,
}

impl Project {
    pub(super) fn find(context: &Context, init: &Init) -> Result<Self, Failure> {
        let folder = match &init.project {
            Some(project) => project.join(context.named_folder()),
            None => context.folder(),
        };
        let absolute = std::path::absolute(&folder);
        let folder = absolute.map_err(Failure::file(format!("find {}", folder.display())))?;
        let package = package_of(&folder, &context.program)?;
        let root = root_of(&package)?;
        let dir = slashed(folder.strip_prefix(&package).unwrap_or(&folder));
        Ok(Self { folder, dir, package, root, program: context.program.clone() })
    }

    pub(super) fn manifest(&self) -> String {
        std::fs::read_to_string(self.package.join("Cargo.toml")).unwrap_or_default()
    }

    pub(super) fn has_migrations(&self) -> bool {
        let entries = std::fs::read_dir(&self.folder);
        entries.is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.path().extension().is_some_and(|e| e == "sql"))
        })
    }

    /// What is wrong with the folder the compiler will tell.
    pub(super) fn has_every_way_back(&self) -> bool {
        let set = Source::read(&self.folder).ok().and_then(|source| source.set().ok());
        set.is_some_and(|set| set.iter().all(|entry| !matches!(entry.down(), Down::Missing)))
    }

    pub(super) fn is_library(&self) -> bool {
        self.package.join("src/lib.rs").is_file()
    }

    /// The file that embeds a folder already.
    pub(super) fn embeds(&self) -> Option<PathBuf> {
        let mut open = vec![self.package.join("src")];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                if text.contains("#[migrations(") || text.contains("migrate_postgres::embed!") {
                    return Some(path);
                }
                open.extend(path.is_dir().then_some(path));
            }
        }
        None
    }

    pub(super) fn folder_below_root(&self) -> String {
        slashed(self.folder.strip_prefix(&self.root).unwrap_or(&self.folder))
    }

    /// What to do in a project that has everything.
    pub(super) fn next(&self) -> String {
        let root = workspace::shown(&self.root);
        let there = match root.as_os_str().is_empty() {
            true => String::new(),
            false => format!("    cd {}\n", root.display()),
        };
        let migrate =
            if self.program.starts_with("cargo ") { &self.program } else { "cargo xtask migrate" };
        let database = self.root.file_name().unwrap_or("app".as_ref()).to_string_lossy();
        format!(
            "next: a test needs no database; all else goes to the one that DATABASE_URL names\n\
             {there}    cargo test\n    \
             export DATABASE_URL=postgres://me@localhost/{database}\n    \
             {migrate} plan\n    \
             {migrate} run"
        )
    }
}

/// The nearest package around the folder.
fn package_of(folder: &Path, program: &str) -> Result<PathBuf, Failure> {
    let beside = folder.parent().unwrap_or(folder);
    let has_manifest = |folder: &&Path| folder.join("Cargo.toml").is_file();
    let Some(package) = beside.ancestors().find(has_manifest) else {
        return Err(Failure::usage(
            format!(
                "failed to find a package: there is no Cargo.toml in {} or above",
                beside.display()
            ),
            format!(
                "Make one with `cargo init`, or name its folder: `{program} init path/to/package`."
            ),
        ));
    };
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
    if manifest.lines().any(|row| row.trim().starts_with("[package]")) {
        return Ok(package.to_owned());
    }
    Err(Failure::usage(
        format!("failed to find a package: {} is a workspace without one", package.display()),
        format!("Name the member that is to have the migrations: `{program} init path/to/member`."),
    ))
}

/// Cargo knows: a package may name its workspace, and a workspace may exclude it.
fn root_of(package: &Path) -> Result<PathBuf, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["locate-project", "--workspace", "--message-format", "plain", "--color", "never"])
        .current_dir(package)
        .output();
    let output = output.map_err(Failure::file("run cargo"))?;
    let manifest = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    match (output.status.success(), manifest.parent()) {
        (true, Some(root)) => Ok(root.to_owned()),
        _ => Err(Failure::usage(
            format!(
                "failed to find the workspace of {}: {}",
                package.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            ),
            "Mend its Cargo.toml first: `cargo metadata` tells when it is right.",
        )),
    }
}

/// As a manifest and Rust say it, on every system.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
