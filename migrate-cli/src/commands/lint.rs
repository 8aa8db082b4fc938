//! `lint`: judges the SQL of a folder, whoever runs it and whether the application compiles or not.

use std::collections::BTreeSet;
use std::path::Path;

use migrate_core::source::Contents;
use migrate_core::{Problem, Severity, SqlMigration};
use migrate_lint::report::{self, Item};
use migrate_lint::{Facts, Finding, judge, judge_live, with_verdicts};

use crate::args::{Deny, Format, Lint};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::git;
use crate::render::{Counted, Fixes, Linted};
use crate::server::{self, Seen};

pub(crate) async fn carry_out(context: &Context, typed: &Lint) -> Result<Exit, Failure> {
    let format = typed.format(context)?;
    let mut folder = Folder::read(context.folder_at(typed.path.as_deref())?)?;
    let mut since = Since::asked(&folder.path, typed.since.as_deref())?;
    let mut fixes = None;
    if typed.fix {
        fixes = Some(fix(context, &folder, since.as_ref())?);
        folder = Folder::read(folder.path)?;
        since = Since::asked(&folder.path, typed.since.as_deref())?;
    }
    let known = Known::of(context, &folder);
    let seen = if typed.db { Some(known.ask(context).await?) } else { None };
    let (findings, advice) = known.judge(&folder, seen.as_ref());
    let mut found = Found::of(&known, findings, since.as_ref());
    found.problems.extend(advice.iter().filter(|_| since.is_none()));
    let mut linted = Linted::new(found.items(), found.counted);
    linted.since = since.as_ref().map(|since| since.revision);
    linted.fixes = fixes.as_ref();
    linted.database = seen.as_ref().map(|seen| &*seen.database);
    linted.server = seen.as_ref().map(|seen| &*seen.version);
    match format {
        Format::Human | Format::Json => context.output.result(&linted),
        Format::Sarif => context.output.raw(&report::sarif(&linted.items)),
        Format::Github => context.output.raw(&report::github(&linted.items)),
    }
    let fails = linted.errors > 0 || (typed.deny == Some(Deny::Warnings) && linted.warnings > 0);
    Ok(if fails { Exit::Found } else { Exit::Done })
}

impl Lint {
    /// What was asked for in one way or the other.
    fn format(&self, context: &Context) -> Result<Format, Failure> {
        match (self.format, context.common.json) {
            (None, false) => Ok(Format::Human),
            (None | Some(Format::Json), true) => Ok(Format::Json),
            (Some(format), false) => Ok(format),
            (Some(_), true) => {
                let message = "failed to choose a format: --json and --format say different things";
                Err(Failure::usage(message, "Leave one of them out."))
            }
        }
    }
}

/// A point in the past; what is in no file that has changed since is not told.
struct Since<'r> {
    revision: &'r str,
    changed: BTreeSet<String>,
}

impl<'r> Since<'r> {
    fn asked(folder: &Path, revision: Option<&'r str>) -> Result<Option<Self>, Failure> {
        let ask = |revision| Ok(Self { revision, changed: git::changed_since(folder, revision)? });
        revision.map(ask).transpose()
    }

    fn has(&self, file: &str) -> bool {
        let name = Path::new(file).file_name().unwrap_or_default();
        self.changed.contains(name.to_string_lossy().as_ref())
    }

    fn touches(&self, migration: &SqlMigration) -> bool {
        let mut steps = migration.down.steps().iter().chain([&migration.up]);
        steps.any(|step| step.script().is_some_and(|script| self.has(&script.file)))
    }
}

/// A folder that was read, and what is known beside it.
struct Known {
    contents: Contents,
    facts: Facts,
    problems: Vec<Problem>,
}

impl Known {
    fn of(context: &Context, folder: &Folder) -> Self {
        let mut contents = folder.contents();
        let (mut facts, wrong) = Facts::of(&contents.settings, None);
        facts.history = context.history_table();
        facts.has_gaps = folder.has_gaps(&contents);
        let mut problems = std::mem::take(&mut contents.problems);
        problems.extend(wrong);
        Self { contents, facts, problems }
    }

    /// What a server says; nothing is changed there.
    async fn ask(&self, context: &Context) -> Result<Seen<'_>, Failure> {
        let place = context.place()?;
        context.output.aside(&format!("database: {place}"));
        let statements = migrate_lint::statements(&self.contents.migrations, &self.facts);
        server::look(context, &place, statements).await
    }

    /// What cannot be read keeps nobody from judging the rest; of a folder with a past that has not been told of,
    /// a word about that.
    fn judge(&self, folder: &Folder, seen: Option<&Seen<'_>>) -> (Vec<Finding>, Option<Problem>) {
        let judgement = judge(&self.contents.migrations, &self.facts);
        let advice = judgement.advice(&self.facts, &folder.settings_file());
        match seen {
            None => (judgement.findings, advice),
            Some(seen) => (self.judge_live(seen), advice),
        }
    }

    fn judge_live(&self, seen: &Seen<'_>) -> Vec<Finding> {
        let (Seen { tables, refused, version, .. }, migrations) = (seen, &self.contents.migrations);
        let facts = Facts { live: tables.clone(), ..self.facts.clone() };
        let findings = judge_live(migrations, &facts);
        with_verdicts(findings, refused, &self.facts, &format!("PostgreSQL {version}"))
    }
}

/// What is told of a folder.
struct Found<'k> {
    problems: Vec<&'k Problem>,
    findings: Vec<Finding>,
    counted: Counted,
}

impl<'k> Found<'k> {
    fn of(known: &'k Known, mut findings: Vec<Finding>, since: Option<&Since<'_>>) -> Self {
        let migrations = &known.contents.migrations;
        let is_judged = |m: &&SqlMigration| Some(m.id.version) > known.facts.released;
        let judged = migrations.iter().filter(is_judged);
        let released = migrations.len() - judged.clone().count();
        let mut counted = Counted { migrations: migrations.len(), released, unchanged: 0 };
        let mut problems: Vec<&Problem> = known.problems.iter().collect();
        if let Some(since) = since {
            counted.unchanged = judged.filter(|migration| !since.touches(migration)).count();
            findings.retain(|finding| since.has(&finding.file));
            // What makes the folder unusable does so whenever it was written.
            problems.retain(|p| p.severity == Severity::Error || since.has(&p.file));
        }
        Self { problems, findings, counted }
    }

    fn items(&self) -> Vec<Item<'_>> {
        let problems = self.problems.iter().map(|problem| Item::from(*problem));
        problems.chain(self.findings.iter().map(Item::from)).collect()
    }
}

/// Writes the safe forms that keep their promise.
fn fix(context: &Context, folder: &Folder, since: Option<&Since<'_>>) -> Result<Fixes, Failure> {
    let facts = Known::of(context, folder).facts;
    let wanted = |finding: &Finding| since.is_none_or(|since| since.has(&finding.file));
    let shown = folder.path.display().to_string();
    let fixed = migrate_lint::fix(&shown, &folder.borrowed(), &facts, wanted);
    for (file, text) in &fixed.files {
        std::fs::write(file, text).map_err(Failure::file(format!("write {file}")))?;
    }
    let is_new = |file: &&String| !folder.files.iter().any(|(known, _)| known == *file);
    let written = fixed.files.keys().filter(is_new).cloned().collect();
    Ok(Fixes { done: fixed.done, written, left: fixed.left })
}
