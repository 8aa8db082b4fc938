//! What was typed: `#[migrations(…)]`, `#[migration(…)]` and `embed!(…)`.
//!
//! Owns the keys, their defaults, and which of them go together. Opens no file.

use std::collections::HashSet;
use std::time::Duration;

use migrate_core::source::WayBack;
use migrate_core::{Header, MigrationId, Phase, Version};
use proc_macro2::Span;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Error, LitStr, Path, Result, Token};

mod keys;

use keys::Keys;

/// A folder and how to look at it.
pub(crate) struct Folder {
    /// As it was typed.
    pub(crate) dir: String,
    /// Where errors about it are shown.
    pub(crate) place: Span,
    pub(crate) down: WayBack,
    pub(crate) build_script: BuildScript,
    /// The newest version that databases with data in them have.
    pub(crate) released: Option<Version>,
    /// Migrations that stand beside it.
    pub(crate) code: Vec<Path>,
    pub(crate) krate: Path,
}

/// What to think of a build script that does not watch the folder.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum BuildScript {
    Warn,
    Ignore,
}

const FOLDER: &[&str] = &["dir", "down", "build_script", "released", "code", "crate"];
const EMBED: &[&str] = &["down", "build_script", "released", "crate"];
const WAYS_BACK: [(&str, WayBack); 3] =
    [("require", WayBack::Require), ("warn", WayBack::Warn), ("ignore", WayBack::Ignore)];
const BUILD_SCRIPTS: [(&str, BuildScript); 2] =
    [("warn", BuildScript::Warn), ("ignore", BuildScript::Ignore)];
/// As sqlx has it.
const DIR: &str = "migrations";

impl Folder {
    /// What `#[derive(Migrations)]` stands on.
    pub(crate) fn of(input: &DeriveInput) -> Result<Self> {
        let mut keys = Keys::of(&input.attrs, "migrations", FOLDER);
        let dir = keys.text("dir");
        Self::read(keys, dir.as_ref(), input.ident.span())
    }

    fn read(mut keys: Keys, dir: Option<&LitStr>, place: Span) -> Result<Self> {
        let folder = Self {
            dir: dir.map_or_else(|| DIR.to_owned(), LitStr::value),
            place: dir.map_or(place, LitStr::span),
            down: keys.choice("down", &WAYS_BACK).unwrap_or_default(),
            build_script: keys.choice("build_script", &BUILD_SCRIPTS).unwrap_or(BuildScript::Warn),
            released: keys.read("released", str::parse),
            code: beside(&mut keys),
            krate: krate(&mut keys),
        };
        keys.finish().map(|()| folder)
    }
}

/// The arguments of `embed!`.
impl Parse for Folder {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(LitStr) {
            let message = "expected the path of a folder, as in `embed!(\"migrations\")`";
            return Err(input.error(message));
        }
        let dir = input.parse::<LitStr>()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        let keys = Keys::rest(input, EMBED)?;
        Self::read(keys, Some(&dir), dir.span())
    }
}

fn beside(keys: &mut Keys) -> Vec<Path> {
    let listed = keys.list("code").unwrap_or_default();
    let mut seen = HashSet::new();
    for path in &listed {
        let name = path.to_token_stream().to_string();
        if seen.contains(&name) {
            let message = format!("`{name}` is listed twice");
            keys.complain(Error::new_spanned(path, message));
        }
        seen.insert(name);
    }
    listed
}

/// One migration beside a folder.
pub(crate) struct Migration {
    pub(crate) name: String,
    pub(crate) id: MigrationId,
    pub(crate) work: Work,
    pub(crate) krate: Path,
}

/// What a migration does.
pub(crate) enum Work {
    Sql { up: LitStr, down: Back<LitStr> },
    Code(Box<Code>),
}

pub(crate) struct Code {
    pub(crate) run: Path,
    pub(crate) undo: Back<Path>,
    pub(crate) revision: u32,
    pub(crate) transaction: bool,
    pub(crate) after: Vec<MigrationId>,
    pub(crate) lock_timeout: Option<Duration>,
    /// The directives that put the rows of a table into batches, where the function is called for each.
    pub(crate) batches: Option<String>,
}

/// How to take it back.
pub(crate) enum Back<T> {
    By(T),
    Irreversible(String),
    /// Nothing was said.
    Missing,
}

impl Migration {
    /// Where errors about its files are shown.
    pub(crate) fn place(&self) -> Span {
        match &self.work {
            Work::Sql { up, .. } => up.span(),
            Work::Code(code) => code.run.span(),
        }
    }

    pub(crate) fn code(&self) -> Option<&Code> {
        match &self.work {
            Work::Sql { .. } => None,
            Work::Code(code) => Some(code),
        }
    }
}

const MIGRATION: &[&str] = &[
    "version",
    "phase",
    "name",
    "irreversible",
    "crate",
    "up",
    "down",
    "run",
    "undo",
    "revision",
    "transaction",
    "after",
    "lock_timeout",
    "backfill",
    "verify",
    "prove",
    "reindex",
    "provides",
];

/// Keys of SQL, and what the other kind has instead.
const SQL_ONLY: &[(&str, &str)] = &[("down", "its way back is `undo = path::to::function`")];
/// The same of Rust.
const CODE_ONLY: &[(&str, &str)] = &[
    ("undo", "its way back is `down = \"file.down.sql\"`"),
    ("revision", "its checksum is taken over the file"),
    ("transaction", "the file says `-- migrate: no-transaction`"),
    ("after", "the file says `-- migrate: after <version>`"),
    ("lock_timeout", "the file says `-- migrate: lock-timeout 2s`"),
    ("backfill", "the file says `-- migrate: backfill <table> by <columns>`"),
    ("verify", "the file says `-- migrate: verify <condition>`"),
    ("prove", "the file says `-- migrate: prove <condition>`"),
    ("reindex", "the file says `-- migrate: reindex`"),
    ("provides", "the file says `-- migrate: provides <name>`"),
];

/// What a function for each batch has no use for.
const ONCE_ONLY: [(&str, &str); 2] = [
    ("undo", "a backfill is taken back with what made its column; say why by `irreversible`"),
    ("transaction", "each batch is a transaction"),
];

impl Migration {
    /// What `#[derive(Migration)]` stands on.
    pub(crate) fn of(input: &DeriveInput) -> Result<Self> {
        let mut keys = Keys::of(&input.attrs, "migration", MIGRATION);
        let place = input.ident.span();
        if !input.generics.params.is_empty() {
            let message = "a migration has one version, whatever its parameters: remove them";
            keys.complain(Error::new_spanned(&input.generics, message));
        }
        let id = id(&mut keys, place);
        let name = keys.text("name").map(|name| name.value());
        let krate = krate(&mut keys);
        let work = work(&mut keys, place);
        keys.finish()?;
        let incomplete = || Error::new(place, "a migration has a version and does something");
        Ok(Self {
            name: name.unwrap_or_else(|| snake_case(&input.ident.to_string())),
            id: id.ok_or_else(incomplete)?,
            work: work.ok_or_else(incomplete)?,
            krate,
        })
    }
}

fn id(keys: &mut Keys, place: Span) -> Option<MigrationId> {
    let phase = keys.read("phase", str::parse::<Phase>);
    let number = keys.number("version");
    if keys.place("version").is_none() {
        let message =
            "the migration has no version: add `#[migration(version = 20261123101500, …)]`";
        keys.complain(Error::new(place, message));
    }
    let version = number?.base10_parse::<i64>().map_err(|error| keys.complain(error)).ok()?;
    Some(MigrationId::new(Version::new(version), phase.unwrap_or(Phase::Expand)))
}

fn work(keys: &mut Keys, place: Span) -> Option<Work> {
    match (keys.place("up"), keys.place("run")) {
        (Some(_), None) => sql(keys),
        (None, Some(_)) => code(keys),
        (Some(_), Some(run)) => {
            let message = "a migration is SQL, by `up`, or Rust, by `run`: not both";
            keys.complain(Error::new(run, message));
            None
        }
        (None, None) => {
            let message = "the migration does nothing: add `up = \"file.sql\"`, or `run = path::to::function`";
            keys.complain(Error::new(place, message));
            None
        }
    }
}

fn sql(keys: &mut Keys) -> Option<Work> {
    refuse(keys, CODE_ONLY, "written in Rust, and this one is SQL");
    let up = keys.text("up");
    let down = keys.text("down");
    let down = back(keys, "down", down);
    Some(Work::Sql { up: up?, down })
}

fn code(keys: &mut Keys) -> Option<Work> {
    refuse(keys, SQL_ONLY, "made of SQL, and this one is Rust");
    let run = keys.path("run");
    let batches = batches(keys);
    if batches.is_some() {
        for (key, instead) in ONCE_ONLY {
            if let Some(place) = keys.place(key) {
                keys.complain(Error::new(
                    place,
                    format!("`{key}` does not go with `backfill`: {instead}"),
                ));
            }
        }
    }
    let undo = keys.path("undo");
    let revision = keys.number("revision").map(|number| number.base10_parse());
    let revision = revision.transpose().unwrap_or_else(|error| {
        keys.complain(error);
        None
    });
    let code = Code {
        undo: back(keys, "undo", undo),
        revision: revision.unwrap_or(1),
        transaction: keys.truth("transaction").unwrap_or_default(),
        after: keys
            .read("after", |text| directive("after", text))
            .map(|header| header.after)
            .unwrap_or_default(),
        lock_timeout: keys
            .read("lock_timeout", |text| directive("lock-timeout", text))
            .and_then(|header| header.lock_timeout),
        run: run?,
        batches,
    };
    Some(Work::Code(Box::new(code)))
}

/// The head that a file would have.
fn batches(keys: &mut Keys) -> Option<String> {
    let place = keys.place("backfill");
    let mut head = String::new();
    for key in ["backfill", "verify", "prove", "reindex", "provides"] {
        let said = keys.place(key);
        let line = if key == "reindex" {
            let is_wanted = keys.truth(key).unwrap_or_default();
            is_wanted.then(|| format!("-- migrate: {key}\n"))
        } else {
            let line =
                |text: &str| directive(key, text).map(|_| format!("-- migrate: {key} {text}\n"));
            keys.read(key, line)
        };
        head.extend(line);
        if let (Some(said), None) = (said, place) {
            let message =
                format!("`{key}` belongs to a backfill: add `backfill = \"<table> by <columns>\"`");
            keys.complain(Error::new(said, message));
        }
    }
    place.map(|_| head)
}

fn refuse(keys: &mut Keys, others: &[(&str, &str)], kind: &str) {
    for (key, instead) in others {
        if let Some(place) = keys.place(key) {
            let message = format!("`{key}` belongs to a migration {kind}: {instead}");
            keys.complain(Error::new(place, message));
        }
    }
}

fn back<T>(keys: &mut Keys, key: &str, by: Option<T>) -> Back<T> {
    let reason = keys.text("irreversible");
    match (by, reason) {
        (Some(_), Some(reason)) => {
            let message = format!("says that it is irreversible, and has `{key}`: remove one");
            keys.complain(Error::new(reason.span(), message));
            Back::Missing
        }
        (Some(by), None) => Back::By(by),
        (None, Some(reason)) if reason.value().trim().is_empty() => {
            keys.complain(Error::new(reason.span(), "say why it is irreversible"));
            Back::Missing
        }
        (None, Some(reason)) => Back::Irreversible(reason.value()),
        (None, None) => Back::Missing,
    }
}

/// The same words as in a file.
fn directive(name: &str, arguments: &str) -> std::result::Result<Header, String> {
    let (header, bad) = Header::parse(&format!("-- migrate: {name} {arguments}"));
    match bad.into_iter().next() {
        Some(bad) => {
            let form = bad.help.replace(&format!("-- migrate: {name} "), "");
            Err(format!("cannot read `{arguments}`. {form}"))
        }
        None => Ok(header),
    }
}

fn krate(keys: &mut Keys) -> Path {
    let typed = keys.text("crate").map(|text| text.parse::<Path>());
    let typed = typed.transpose().unwrap_or_else(|error| {
        keys.complain(error);
        None
    });
    typed.unwrap_or_else(default_krate)
}

/// The crate that the tokens name, even where other keys are wrong.
pub(crate) fn krate_of(input: &DeriveInput, attribute: &str) -> Path {
    krate(&mut Keys::of(&input.attrs, attribute, &["crate"]))
}

/// The one that users depend on.
pub(crate) fn default_krate() -> Path {
    syn::parse_quote!(::migrate_postgres)
}

/// `FillNames` is `fill_names`, `HTTPCodes` is `http_codes`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut snake = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        let after = letters.get(i + 1);
        let starts = letter.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_numeric())
                || before.is_some_and(|c| c.is_uppercase())
                    && after.is_some_and(|c| c.is_lowercase()));
        if starts {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_words_of_the_type() {
        for (name, expected) in [
            ("FillNames", "fill_names"),
            ("HTTPCodes", "http_codes"),
            ("V2Users", "v2_users"),
            ("r#Move", "move"),
            ("Already_Snake", "already_snake"),
            ("A", "a"),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }
}
