//! The page of the manual that says what the linter finds in folders of others, and what a person says of that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use migrate_lint::Finding;

use crate::case::Case;
use crate::judged::Judged;
use crate::known::Hazard;
use crate::verdict::{Verdict, Verdicts, Worth};
use crate::{Result, say};

const HEAD: &str = "# Findings in folders that other people wrote

<!-- Written by `cargo xtask findings`, checked by `cargo xtask findings --check`: do not edit. -->

The linter judges the folders of [other people](real-folders.md), and the migrations of matrix-synapse, as it
would in a project that has just added it: nothing is released yet, and what an earlier migration has made is in use.

Whether its findings are worth reading, a person has to say. So a sample is drawn by a fixed seed: one finding of each
rule that has found something, and the other places in proportion. For each of them somebody has read the migration, and
what came before it, as whoever reviews it would:

- *right*: it does that, and whoever runs the migration on a database in use had better know;
- *noise*: it does that, and nobody would change the migration for it;
- *wrong*: it does not.

Where the last column says something, the folder was run on a real server up to that statement, with rows in its tables, and
this is what the statement then did; each run of the check does it again.

";

const AGAIN: &str = "
Count them yourself: `cargo xtask findings --check` fetches the packages by cargo, npm and pip. It
takes PostgreSQL 14 or newer, as one of the folders does.
";

pub(crate) fn text(
    judged: &[Judged],
    cases: &[Case<'_>],
    drawn: &[&Case<'_>],
    verdicts: &Verdicts,
    known: &[Hazard],
) -> String {
    let mut page = HEAD.to_owned();
    page.push_str(&folders(judged));
    page.push_str(&no_sql(cases));
    page.push_str(&shares(drawn, verdicts));
    page.push_str(&rules(cases, drawn));
    page.push_str(&sample(drawn, verdicts));
    page.push_str(&by_hand(known));
    page.push_str(AGAIN);
    page
}

fn folders(judged: &[Judged]) -> String {
    let line = |judged: &Judged| {
        let Judged { folder, files, statements, findings, .. } = judged;
        format!(
            "| {} | `{}` | {files} | {statements} | {} |\n",
            folder.package,
            folder.name,
            findings.len()
        )
    };
    let lines: String = judged.iter().map(line).collect();
    let sum = |of: fn(&Judged) -> usize| judged.iter().map(of).sum::<usize>();
    format!(
        "| package | folder | files | statements | findings |\n|---|---|--:|--:|--:|\n{lines}| **together** | {} | {} | {} | {} |\n",
        judged.len(),
        sum(|judged| judged.files),
        sum(|judged| judged.statements),
        sum(|judged| judged.findings.len()),
    )
}

fn no_sql(cases: &[Case<'_>]) -> String {
    let count = cases.iter().filter(|case| case.is_no_sql()).count();
    format!(
        "\n{count} of the statements are no SQL, say the linter and a server alike: synapse has kept files from before it \
         knew PostgreSQL, and one that lacks a semicolon. No other is rejected.\n"
    )
}

fn by_hand(known: &[Hazard]) -> String {
    let line = |hazard: &Hazard| {
        let Hazard { folder, file, line, rule, because } = hazard;
        let rule = rule.as_ref().map_or("nothing".to_owned(), |rule| format!("`{rule}`"));
        format!("| {folder} | `{file}:{line}` | {rule} | {because} |\n")
    };
    let lines: String = known.iter().map(line).collect();
    format!(
        "\n## What a person has found\n\nThe other way round: hazards that were looked for by hand, and what only looks like \
         one. Each run of the check looks whether the linter finds the former, and is silent about the latter.\n\n\
         | folder | where | finds | because |\n|---|---|---|---|\n{lines}"
    )
}

fn shares(drawn: &[&Case<'_>], verdicts: &Verdicts) -> String {
    let of = |worth| {
        drawn.iter().filter(|case| verdicts.of(case).is_some_and(|v| v.verdict == worth)).count()
    };
    let (right, noise, wrong) = (of(Worth::Right), of(Worth::Noise), of(Worth::Wrong));
    let run = drawn.iter().filter(|case| verdicts.was_seen(case)).count();
    // In tenths, rounded.
    let share = ((noise + wrong) * 2000 + drawn.len()) / (2 * drawn.len()).max(1);
    format!(
        "\n## What they are worth\n\nOf {} findings that were drawn, {right} are right, {noise} noise and {wrong} wrong: \
         {}.{} % are not worth reading. {run} of them were run on a server.\n",
        drawn.len(),
        share / 10,
        share % 10,
    )
}

fn rules(cases: &[Case<'_>], drawn: &[&Case<'_>]) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    cases.iter().for_each(|case| counts.entry(case.finding.rule).or_default().0 += 1);
    drawn.iter().for_each(|case| counts.entry(case.finding.rule).or_default().1 += 1);
    let line =
        |(rule, (all, drawn)): (&str, (usize, usize))| format!("| `{rule}` | {all} | {drawn} |\n");
    let lines: String = counts.into_iter().map(line).collect();
    format!("\n| rule | findings | drawn |\n|---|--:|--:|\n{lines}")
}

fn sample(drawn: &[&Case<'_>], verdicts: &Verdicts) -> String {
    let line = |case: &&Case<'_>| {
        let Finding { file, place, rule, message, .. } = case.finding;
        let verdict = verdicts.of(case);
        let word = verdict.map_or("", |verdict| verdict.verdict.as_str());
        let because = verdict.map_or("", |verdict| verdict.because.as_str());
        let seen =
            verdict.and_then(|verdict: &Verdict| verdict.seen.as_deref()).unwrap_or_default();
        let message = cell(message);
        let (because, seen) = (cell(because), cell(seen));
        format!(
            "| {} | `{file}:{}` | `{rule}` | {message} | {word} | {because} | {seen} |\n",
            case.judged.name(),
            place.line
        )
    };
    let lines: String = drawn.iter().map(line).collect();
    format!(
        "\n## The sample\n\n| folder | where | rule | finding | verdict | because | seen on a server |\n\
         |---|---|---|---|---|---|---|\n{lines}"
    )
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/findings.md")
}

pub(crate) fn write(text: &str) -> Result<bool> {
    Ok(std::fs::write(path(), text).map(|()| true)?)
}

/// Does the page say what was found?
pub(crate) fn is_fresh(text: &str) -> Result<bool> {
    let written = std::fs::read_to_string(path()).unwrap_or_default(); // the first time there is none
    if written != text {
        let shown = migrate_core::difference(&written, text);
        say(&format!(
            "docs/findings.md says something else: run `cargo xtask findings`, look, and commit it\n{shown}"
        ))?;
    }
    Ok(written == text)
}
