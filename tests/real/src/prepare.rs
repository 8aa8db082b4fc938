//! Makes of files that only their own program can run a folder of migrations, with as little as does it: a number
//! before each name, and what the program writes into the texts.
//!
//! Owns the names that the files get. Knows nothing of where they come from.

use std::path::Path;

use crate::Result;
use crate::fetch;
use crate::packages::Prepare;

/// What became of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    theirs: String,
    ours: String,
    /// How often the mark was filled in.
    filled: usize,
}

impl Prepared {
    /// For the terminal.
    pub(crate) fn line(&self, folder: &str) -> String {
        let Self { theirs, ours, filled } = self;
        let filled =
            if *filled > 0 { format!(", {filled} times filled in") } else { String::new() };
        format!("{folder}/{theirs} -> {ours}{filled}")
    }
}

/// Writes the files of a folder to another one, which has nothing else then.
pub(crate) fn folder(prepare: &Prepare, from: &Path, to: &Path) -> Result<Vec<Prepared>> {
    let names = std::fs::read_dir(from)?.map(|entry| Ok(entry?.file_name().into_string()));
    let names = names.collect::<Result<std::result::Result<Vec<_>, _>>>()?;
    let names = names.map_err(|name| format!("failed to read the name {}", name.display()))?;
    fetch::empty(to)?;
    let mut all = Vec::new();
    for (theirs, ours) in renamed(prepare, names) {
        let (text, filled) = filled(prepare, &std::fs::read_to_string(from.join(&theirs))?);
        std::fs::write(to.join(&ours), text)?;
        all.push(Prepared { theirs, ours, filled });
    }
    Ok(all)
}

/// Each file's name and the one that it gets.
fn renamed(prepare: &Prepare, mut names: Vec<String>) -> Vec<(String, String)> {
    names.retain(|name| name.ends_with(".sql"));
    names.sort_unstable();
    let ours = |(name, place): (String, usize)| {
        let is_contract = prepare.contract.is_some_and(|mark| name.contains(mark));
        let ending = if is_contract { ".contract.sql" } else { ".sql" };
        let ours = format!("{place}_{}{ending}", name.trim_end_matches(".sql"));
        (name, ours)
    };
    names.into_iter().zip(1..).map(ours).collect()
}

fn filled(prepare: &Prepare, text: &str) -> (String, usize) {
    match prepare.fill {
        Some((mark, name)) => (text.replace(mark, name), text.matches(mark).count()),
        None => (text.to_owned(), 0),
    }
}

/// What was done, for the page.
pub(crate) fn note(prepare: &Prepare, files: &[Prepared]) -> String {
    let renamed = |file: &Prepared| format!("`{}` is `{}`", file.theirs, file.ours);
    let [first, last] =
        [files.first(), files.last()].map(|file| file.map(renamed).unwrap_or_default());
    let mut note = format!(
        "Prepared: its {} files are numbered in the order of their names: {first}, and at last {last}.",
        files.len(),
    );
    if let Some((mark, name)) = prepare.fill {
        let filled: usize = files.iter().map(|file| file.filled).sum();
        note += &format!(" `{name}` stands for `{mark}`, {filled} times.");
    }
    if let Some(mark) = prepare.contract {
        let contracts = files.iter().filter(|file| file.theirs.contains(mark)).count();
        note += &format!(" The {contracts} with `{mark}` in their names are contracts.");
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREPARE: Prepare =
        Prepare { fill: Some((":SCHEMA", "app")), contract: Some("_post_"), between: None };

    #[test]
    fn the_numbers_are_in_the_order_of_the_names() {
        let names = ["00.10.00_01_b.sql", "00.09.00_50_post_a.sql", "README.md"];
        let names = renamed(&PREPARE, names.map(str::to_owned).to_vec());
        let names: Vec<_> = names.iter().map(|(_, ours)| ours.as_str()).collect();
        assert_eq!(names, ["1_00.09.00_50_post_a.contract.sql", "2_00.10.00_01_b.sql"]);
    }

    #[test]
    fn the_mark_is_filled_in_everywhere_and_nothing_else_changes() {
        let (text, count) = filled(&PREPARE, "-- :SCHEMA.a\nTABLE :SCHEMA.b::text :other");
        assert_eq!((text.as_str(), count), ("-- app.a\nTABLE app.b::text :other", 2));
    }

    #[test]
    fn the_page_names_the_ends_and_counts_the_rest() {
        let file = |theirs: &str, ours: &str| Prepared {
            theirs: theirs.to_owned(),
            ours: ours.to_owned(),
            filled: 2,
        };
        let files = [file("a.sql", "1_a.sql"), file("b_post_.sql", "2_b_post_.contract.sql")];
        assert_eq!(
            note(&PREPARE, &files),
            "Prepared: its 2 files are numbered in the order of their names: `a.sql` is `1_a.sql`, and at \
             last `b_post_.sql` is `2_b_post_.contract.sql`. `app` stands for `:SCHEMA`, 4 times. The 1 with `_post_` \
             in their names are contracts."
        );
    }
}
