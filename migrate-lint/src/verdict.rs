//! What a server says of the grammar, in place of ours.
//!
//! Owns which statements there are to ask about and what an answer makes of a finding. Pure: who asks a server is
//! not this crate.

use migrate_core::{MigrationId, Place, Script, SqlMigration};

use crate::facts::Facts;
use crate::finding::{Finding, Level};
use crate::read::spans;
use crate::rules;

/// The rule that grammar is.
const RULE: &str = "syntax_error";

/// A statement that a server may be asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'m> {
    /// Its migration.
    pub migration: MigrationId,
    /// Its text, without its semicolon.
    pub text: &'m str,
    script: &'m Script,
    /// Where it begins in the file, in bytes.
    offset: usize,
}

/// Why a server takes no such statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where in the statement, in characters from 1, as servers count; 0 where they do not say.
    pub position: usize,
    /// What it says.
    pub message: String,
    /// What it advises.
    pub hint: Option<String>,
}

/// The statements of what is judged, forward and back.
pub fn statements<'m>(migrations: &'m [SqlMigration], facts: &Facts) -> Vec<Asked<'m>> {
    let judged = migrations.iter().filter(|migration| facts.judges(migration.id));
    let scripts = judged.flat_map(|migration| {
        let steps = std::iter::once(&migration.up).chain(migration.down.steps());
        steps.filter_map(|step| Some((migration.id, step.script()?)))
    });
    let asked = scripts.flat_map(|(migration, script)| {
        spans(script).into_iter().map(move |(offset, text)| Asked {
            migration,
            text,
            script,
            offset,
        })
    });
    asked.collect()
}

/// What is found, with the verdicts of a server, which is called `server`, in place of our own.
pub fn with_verdicts(
    findings: Vec<Finding>,
    refused: &[(Asked<'_>, Refusal)],
    facts: &Facts,
    server: &str,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        findings.into_iter().filter(|finding| finding.rule != RULE).collect();
    let level = rules::find(RULE).map_or(Level::Off, |rule| facts.level(rule));
    if level > Level::Off {
        findings
            .extend(refused.iter().map(|(asked, refusal)| finding(asked, refusal, level, server)));
        findings.sort_by_key(|finding| finding.migration);
    }
    findings
}

fn finding(asked: &Asked<'_>, refusal: &Refusal, level: Level, server: &str) -> Finding {
    let before = asked.text.char_indices().nth(refusal.position.saturating_sub(1));
    let at = before.map_or(asked.text.len(), |(at, _)| at);
    let rule = rules::find(RULE);
    Finding {
        rule: RULE,
        level,
        migration: asked.migration,
        file: asked.script.file.clone().into_owned(),
        place: Place::at(&asked.script.text, asked.offset + at),
        message: format!("{} on {server}", refusal.message),
        why: rule.map_or("", |rule| rule.why).to_owned(),
        instead: refusal
            .hint
            .clone()
            .unwrap_or_else(|| rule.map_or("", |rule| rule.instead).to_owned()),
        can_be_allowed: false,
        fix: None,
        locks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use migrate_core::Version;
    use migrate_core::source::{File, WayBack, read};

    use super::*;
    use crate::judge;

    #[test]
    fn the_servers_verdict_stands_in_place_of_ours() {
        let files = [
            ("1_a.sql", "CREATE TABLE old (n int)"),
            (
                "2_b.sql",
                "-- migrate: no-transaction\nBEGIN; SELECT 1; COMMIT;\nSELECT é, 2 FORM a;\nCREATE TABEL b (n int);",
            ),
            ("2_b.down.sql", "DROP TABLE b;"),
        ];
        let files = files.map(|(path, text)| File { path, bytes: text.as_bytes() });
        let contents = read("m", &files, WayBack::Ignore);
        let facts = Facts { released: Some(Version::new(1)), ..Facts::default() };
        let findings = judge(&contents.migrations, &facts).findings;
        assert!(findings.iter().any(|finding| finding.message.contains("TABEL")));
        let asked = statements(&contents.migrations, &facts);
        let texts: Vec<_> = asked.iter().map(|asked| asked.text).collect();
        let expected = [
            "BEGIN",
            "SELECT 1",
            "COMMIT",
            "SELECT é, 2 FORM a",
            "CREATE TABEL b (n int)",
            "DROP TABLE b",
        ];
        assert_eq!(texts, expected);
        let message = "syntax error at or near \"FORM\"".to_owned();
        let refused = [(asked[3], Refusal { position: 13, message, hint: None })];
        let told = with_verdicts(findings, &refused, &facts, "PostgreSQL 15.18");
        let syntax: Vec<_> = told.iter().filter(|finding| finding.rule == RULE).collect();
        assert_eq!(syntax.len(), 1, "{syntax:#?}");
        assert_eq!(syntax[0].message, "syntax error at or near \"FORM\" on PostgreSQL 15.18");
        assert_eq!((syntax[0].place.line, syntax[0].place.column), (3, 13));
    }
}
