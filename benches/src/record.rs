//! Figures as JSON: one object a figure, a line each, which says by itself where it comes from.
//!
//! Owns the names of the fields. What is read is what was written, so that tables and targets come from the file
//! alone.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Result;
use crate::figures::{Figures, Key, median, unit};
use crate::run::Run;

/// Writes the figures of a run.
///
/// # Errors
/// When the disk does not want them.
pub fn write(path: &Path, run: &Run, figures: &Figures) -> Result<()> {
    let objects: Vec<String> = figures
        .all()
        .map(|(key, samples, to)| object(run, figures, key, samples, to).to_string())
        .collect();
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    Ok(std::fs::write(path, format!("[\n{}\n]\n", objects.join(",\n")))?)
}

fn object(run: &Run, figures: &Figures, key: Key, samples: &[f64], to: Option<Key>) -> Value {
    json!({
        "tool": key.tool,
        "version": run.versions.get(key.tool),
        "measure": key.measure,
        "mode": key.mode,
        "migrations": key.migrations,
        "n": samples.len(),
        "median": median(samples),
        "best": samples.iter().copied().min_by(f64::total_cmp),
        "unit": unit(key.measure),
        "samples": samples,
        "ratio": to.and_then(|to| figures.ratio(key, to)),
        "ratio_to": to.map(|to| json!({
            "tool": to.tool, "measure": to.measure, "mode": to.mode, "migrations": to.migrations,
        })),
        "run": {
            "command": run.command, "date": run.date, "machine": run.machine, "server": run.server,
        },
    })
}

/// Reads what was written.
///
/// # Errors
/// When there is no such file, or it was not written by [`write`].
pub fn read(path: &Path) -> Result<(Run, Figures)> {
    let text = std::fs::read_to_string(path)?;
    parse(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn parse(text: &str) -> Result<(Run, Figures)> {
    let objects: Vec<Map<String, Value>> = serde_json::from_str(text)?;
    let (mut run, mut figures) = (Run::default(), Figures::default());
    for object in &objects {
        let key = key(object)?;
        let samples = object.get("samples").and_then(Value::as_array).ok_or("no samples")?;
        for sample in samples {
            figures.add(key, sample.as_f64().ok_or("a sample that is no number")?);
        }
        if let Some(to) = object.get("ratio_to").and_then(Value::as_object) {
            figures.compare(key, self::key(to)?);
        }
        let about = object.get("run").and_then(Value::as_object).ok_or("no run")?;
        run = Run { versions: run.versions, ..self::run(about)? };
        if let Some(version) = object.get("version").and_then(Value::as_str) {
            run.versions.insert(key.tool.to_owned(), version.to_owned());
        }
    }
    Ok((run, figures))
}

fn key(object: &Map<String, Value>) -> Result<Key> {
    let migrations = object.get("migrations").and_then(Value::as_u64).ok_or("no migrations")?;
    Ok(Key {
        measure: lasting(object, "measure")?,
        tool: lasting(object, "tool")?,
        mode: lasting(object, "mode")?,
        migrations: usize::try_from(migrations)?,
    })
}

/// Kept until the program ends, which reads its figures once.
fn lasting(object: &Map<String, Value>, name: &str) -> Result<&'static str> {
    Ok(word(object, name)?.leak())
}

fn word(object: &Map<String, Value>, name: &str) -> Result<String> {
    let value = object.get(name).and_then(Value::as_str);
    Ok(value.ok_or_else(|| format!("a figure without {name}"))?.to_owned())
}

fn run(about: &Map<String, Value>) -> Result<Run> {
    let word = |name| word(about, name);
    Ok(Run {
        command: word("command")?,
        date: word("date")?,
        machine: word("machine")?,
        server: word("server")?,
        ..Run::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() -> Result<()> {
        let key = |tool| Key { measure: "apply_s", tool, mode: "default", migrations: 10 };
        let mut figures = Figures::default();
        for (ours, theirs) in [(1.0, 2.5), (3.0, 4.0), (0.1, 0.3)] {
            figures.add(key("migrate"), ours);
            figures.add(key("psql"), theirs);
        }
        figures.compare(key("migrate"), key("psql"));
        let run = Run {
            command: "cargo xtask bench peers".to_owned(),
            versions: [("migrate".to_owned(), "0.1.0".to_owned())].into(),
            ..Run::default()
        };
        let path =
            std::env::temp_dir().join(format!("migrate-figures-{}.json", std::process::id()));
        write(&path, &run, &figures)?;
        let read = read(&path);
        std::fs::remove_file(&path)?;
        let (read_run, read_figures) = read?;
        assert_eq!(read_run, run);
        assert!(read_figures.all().eq(figures.all()));
        Ok(())
    }
}
