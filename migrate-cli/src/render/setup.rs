//! What `init` and `new` wrote.
//!
//! Owns the words for files. A line that was added is shown as it stands in the file, so that nobody has to look.

use std::path::PathBuf;

use serde::Serialize;

use super::{Ink, Look, Show};

/// What `new` wrote.
#[derive(Serialize)]
pub(crate) struct Files {
    pub(crate) files: Vec<PathBuf>,
}

impl Show for Files {
    fn text(&self, _: Look) -> String {
        let lines = self.files.iter().map(|file| format!("wrote  {}", file.display()));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What `init` did and what it left to the user.
#[derive(Serialize)]
pub(crate) struct Setup {
    pub(crate) written: Vec<PathBuf>,
    pub(crate) added: Vec<ToDo>,
    pub(crate) kept: Vec<PathBuf>,
    pub(crate) to_do: Vec<ToDo>,
    #[serde(skip)]
    pub(crate) next: String,
}

/// What was added to a file, or what the user has to add.
#[derive(Serialize)]
pub(crate) struct ToDo {
    pub(crate) file: PathBuf,
    pub(crate) add: String,
}

impl Show for Setup {
    fn text(&self, look: Look) -> String {
        let row = |ink, word: &str, file: &PathBuf| {
            format!("{}  {}", look.paint(ink, &format!("{word:7}")), file.display())
        };
        let written = self.written.iter().map(|file| row(Ink::Good, "wrote", file));
        // The lines of one file under its name.
        let added = self.added.chunk_by(|a, b| a.file == b.file).filter_map(|added| {
            let lines = added.iter().map(|added| indented(&added.add)).collect::<String>();
            Some(format!("{}{lines}", row(Ink::Good, "added", &added.first()?.file)))
        });
        let kept = self.kept.iter().map(|file| row(Ink::Faint, "exists", file));
        let to_do = self.to_do.iter().map(|to_do| {
            format!("{}{}", row(Ink::Warn, "to add", &to_do.file), indented(&to_do.add))
        });
        let mut lines: Vec<String> = written.chain(added).chain(kept).chain(to_do).collect();
        lines.push(match (self.written.len() + self.added.len(), self.to_do.len()) {
            (0, 0) => "\neverything is there".to_owned(),
            (_, 0) => format!("\n{}", self.next),
            _ => format!("\nadd by hand what is named above\n{}", self.next),
        });
        lines.join("\n")
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("\n             {line}")).collect()
}
