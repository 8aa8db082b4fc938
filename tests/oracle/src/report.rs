//! What came of it, for people and as data.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::Result;
use crate::bar::{self, Bar, rate};
use crate::judged::{Judged, Jury};
use crate::tally::{Pair, Tally, by, group, name};
use crate::wish::Wish;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/bench/oracle.json");
/// Of each kind of disagreement.
const SHOWN: usize = 20;

pub(crate) struct Report<'r> {
    command: String,
    date: String,
    /// Such as 15.18, the oldest first.
    versions: Vec<String>,
    unreadable: &'r [String],
    judged: &'r [Judged],
    bars: Vec<Bar>,
}

type Disagreement = (&'static str, fn(&Judged) -> bool);

const DISAGREEMENTS: &[Disagreement] = &[
    ("falsely refused", Judged::is_falsely_refused),
    ("falsely accepted", Judged::is_falsely_accepted),
    ("not for every version", |one| one.depends_on_the_version() && !is_mutant(one)),
    ("in real folders, and no SQL for anybody", |one| is_real(one) && !one.is_sql()),
    #[cfg(feature = "pg_query")]
    ("pg_query against the newest server", Judged::divides_the_oracles),
];

fn is_real(one: &Judged) -> bool {
    group(&one.case.source) == "real folders"
}

fn is_mutant(one: &Judged) -> bool {
    group(&one.case.source) == "mutants"
}

impl<'r> Report<'r> {
    pub(crate) fn new(
        wish: &Wish,
        jury: &Jury,
        unreadable: &'r [String],
        judged: &'r [Judged],
    ) -> Self {
        Self {
            command: wish.command(),
            date: today(),
            versions: jury.judges.iter().map(|judge| judge.version.clone()).collect(),
            unreadable,
            judged,
            bars: bar::all(judged, &jury.judges),
        }
    }

    pub(crate) fn bars_are_met(&self) -> bool {
        self.bars.iter().all(|bar| bar.is_met)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.table(&mut text);
        let _ = self.disagreements(&mut text);
        let _ = self.places(&mut text);
        let _ = self.verdict(&mut text);
        text
    }

    fn table(&self, text: &mut String) -> std::fmt::Result {
        let servers: String =
            self.versions.iter().map(|v| format!(" {:>14}", format!("not for {v}"))).collect();
        writeln!(
            text,
            "{:36} {:>10} {:>8} {:>8} {:>8}{servers} {:>14}",
            "", "statements", "accepted", "falsely", "refused", "by pg_query"
        )?;
        writeln!(text, "{:36} {:>10} {:>8} {:>8} {:>8}", "", "", "falsely", "refused", "by us")?;
        let rows = by(self.judged, name).into_iter();
        let sums =
            by(self.judged, group).into_iter().map(|(group, tally)| (format!("= {group}"), tally));
        for (name, tally) in rows.chain(sums) {
            let servers: String = tally
                .servers
                .iter()
                .map(|pair| format!(" {:>14}", refused_by_them(pair)))
                .collect();
            writeln!(
                text,
                "{name:36} {:>10} {:>8} {:>8} {:>8}{servers} {:>14}",
                tally.statements,
                tally.falsely_accepted,
                tally.falsely_refused,
                tally.falsely_refused + tally.neither,
                library(&tally),
            )?;
        }
        for file in self.unreadable {
            writeln!(text, "left out: {file}")?;
        }
        Ok(())
    }

    fn disagreements(&self, text: &mut String) -> std::fmt::Result {
        for (what, is_one) in DISAGREEMENTS {
            let all: Vec<&Judged> = self.judged.iter().filter(|one| is_one(one)).collect();
            writeln!(text, "\n{what}: {}", all.len())?;
            for one in all.iter().take(SHOWN) {
                self.show(text, one)?;
            }
        }
        Ok(())
    }

    fn show(&self, text: &mut String, one: &Judged) -> std::fmt::Result {
        writeln!(text, "  {}: {}", name(&one.case.source), short(&one.case.text))?;
        let servers = self.versions.iter().map(String::as_str).zip(one.servers.iter());
        let all = [("we", &one.ours)].into_iter().chain(servers);
        for (who, said) in all.chain(one.library.iter().map(|said| ("pg_query", said))) {
            if let Some(refusal) = said.refusal() {
                let at = refusal.at.map(|at| format!("at {at}: ")).unwrap_or_default();
                writeln!(text, "      {who}: {at}{}", short(&refusal.words))?;
            }
        }
        Ok(())
    }

    fn places(&self, text: &mut String) -> std::fmt::Result {
        let tallies = by(self.judged, group);
        let Some(Tally { places, .. }) = tallies.get("mutants") else { return Ok(()) };
        let percent = |part, whole| format!("{:.1} %", rate(part, whole) * 100.0);
        writeln!(
            text,
            "\nmutants that the newest server refuses as we do: {}; of these we point at its line in {}, at its very \
             place in {}; of those with more than one line, at its line in {}",
            places.compared,
            percent(places.line, places.compared),
            percent(places.token, places.compared),
            percent(places.line_in_lines, places.compared_in_lines),
        )
    }

    fn verdict(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text)?;
        for bar in &self.bars {
            let met = if bar.is_met { "met" } else { "MISSED" };
            writeln!(text, "{met}: {}: {} (bar: {})", bar.what, bar.figure, bar.bar)?;
        }
        Ok(())
    }

    /// For other programs.
    pub(crate) fn write(&self) -> Result<()> {
        let file = Path::new(FILE);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, format!("{:#}\n", self.json()))?)
    }

    fn json(&self) -> Value {
        let tallies = by(self.judged, name);
        let groups = by(self.judged, group);
        json!({
            "command": self.command,
            "date": self.date,
            "servers": self.versions,
            "pg_query": cfg!(feature = "pg_query"),
            "sources": tallies.iter().map(|(name, tally)| self.tally(name, tally)).collect::<Vec<_>>(),
            "groups": groups.iter().map(|(name, tally)| self.tally(name, tally)).collect::<Vec<_>>(),
            "unreadable_files": self.unreadable.len(),
            "bars": self.bars.iter().map(|bar| json!({
                "what": bar.what, "figure": bar.figure, "bar": bar.bar, "met": bar.is_met,
            })).collect::<Vec<_>>(),
            "disagreements": DISAGREEMENTS.iter().map(|(what, is_one)| json!({
                "what": what,
                "statements": self.judged.iter().filter(|one| is_one(one))
                    .map(|one| &one.case.text).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })
    }

    fn tally(&self, name: &str, tally: &Tally) -> Value {
        let (is_sql, is_not) =
            (tally.both + tally.falsely_refused, tally.neither + tally.falsely_accepted);
        let pair = |pair: &Pair| {
            json!({
                "accepted_by_both": pair.accepted_by_both,
                "accepted_by_us_alone": pair.accepted_by_us,
                "accepted_by_them_alone": pair.accepted_by_them,
                "refused_by_both": pair.refused_by_both,
            })
        };
        let servers = self.versions.iter().zip(&tally.servers);
        json!({
            "source": name,
            "statements": tally.statements,
            "sql": is_sql,
            "falsely_accepted": tally.falsely_accepted,
            "falsely_accepted_rate": rate(tally.falsely_accepted, is_not),
            "falsely_refused": tally.falsely_refused,
            "falsely_refused_rate": rate(tally.falsely_refused, is_sql),
            "not_for_every_version": tally.depends_on_the_version,
            "oracles_divided": tally.oracles_divided,
            "by_server": servers.map(|(version, of)| (version.clone(), pair(of)))
                .collect::<serde_json::Map<_, _>>(),
            "by_pg_query": cfg!(feature = "pg_query").then(|| pair(&tally.library)),
            "places": {
                "compared": tally.places.compared,
                "same_line": tally.places.line,
                "same_place": tally.places.token,
                "compared_with_more_than_one_line": tally.places.compared_in_lines,
                "same_line_with_more_than_one_line": tally.places.line_in_lines,
            },
        })
    }
}

fn refused_by_them(pair: &Pair) -> usize {
    pair.accepted_by_us + pair.refused_by_both
}

fn library(tally: &Tally) -> String {
    if cfg!(feature = "pg_query") {
        refused_by_them(&tally.library).to_string()
    } else {
        "-".to_owned()
    }
}

/// On one line that is not too long.
fn short(text: &str) -> String {
    const LONG: usize = 300;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONG) {
        Some((end, _)) => format!("{} …", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

fn today() -> String {
    let output = Command::new("date").arg("+%Y-%m-%d").output();
    output.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned()).unwrap_or_default()
}
