//! A page of the book as data: its blocks, headings and links. Knows enough of Markdown for our own pages.

use std::path::{Path, PathBuf};

/// One page of `docs`.
pub struct Page {
    pub name: String,
    pub blocks: Vec<Block>,
    /// As links name them.
    pub anchors: Vec<String>,
    /// Where links lead, with the line.
    pub links: Vec<(usize, String)>,
}

/// What stands between two fences.
#[derive(Clone, Debug)]
pub struct Block {
    /// The line of its beginning.
    pub line: usize,
    /// The nearest heading above.
    pub heading: String,
    pub language: String,
    pub text: String,
    /// The file that it is.
    pub file: Option<String>,
    /// The file is there already.
    pub shown: bool,
    /// Why it cannot be run.
    pub not_run: Option<String>,
}

pub fn docs() -> PathBuf {
    root().join("docs")
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// All pages, by name.
pub fn all() -> Vec<Page> {
    let entries = std::fs::read_dir(docs()).expect("docs");
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    names.iter().map(|name| Page::read(name)).collect()
}

impl Page {
    pub fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(docs().join(name)).expect(name);
        let mut reader = Reader::default();
        for (number, line) in text.lines().enumerate() {
            reader.line(number + 1, line);
        }
        assert!(reader.open.is_none(), "{name}: a block does not end");
        let Reader { blocks, anchors, links, .. } = reader;
        Self { name: name.to_owned(), blocks, anchors, links }
    }
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    anchors: Vec<String>,
    links: Vec<(usize, String)>,
    open: Option<Block>,
    heading: String,
    /// The paragraph that we are in, or just left.
    paragraph: String,
    left: bool,
    shown: bool,
    not_run: Option<String>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        match (self.open.take(), line.trim_start().strip_prefix("```")) {
            (Some(block), Some(_)) => self.blocks.push(block),
            (Some(mut block), None) => {
                block.text += line;
                block.text.push('\n');
                self.open = Some(block);
            }
            (None, Some(language)) => self.open = Some(self.begin(number, language.trim())),
            (None, None) => self.prose(number, line),
        }
    }

    fn begin(&mut self, line: usize, language: &str) -> Block {
        let paragraph = std::mem::take(&mut self.paragraph);
        Block {
            line,
            heading: self.heading.clone(),
            language: language.to_owned(),
            text: String::new(),
            file: file_at_the_end(&paragraph),
            shown: std::mem::take(&mut self.shown),
            not_run: self.not_run.take(),
        }
    }

    fn prose(&mut self, number: usize, line: &str) {
        if let Some(why) = line.strip_prefix("<!-- not run: ") {
            self.not_run = Some(why.trim_end_matches(" -->").to_owned());
        } else if line == "<!-- shown -->" {
            self.shown = true;
        } else if let Some(heading) = line.strip_prefix('#') {
            self.heading = heading.trim_start_matches('#').trim().to_owned();
            self.anchors.push(anchor(&self.heading));
            self.paragraph.clear();
        } else if line.trim().is_empty() {
            self.left = true;
        } else {
            if std::mem::take(&mut self.left) {
                self.paragraph.clear();
            }
            self.paragraph = format!("{} {}", self.paragraph, line.trim());
            self.links.extend(links(line).into_iter().map(|link| (number, link)));
        }
    }
}

/// `… in `src/main.rs`:`
fn file_at_the_end(paragraph: &str) -> Option<String> {
    let (before, _) =
        paragraph.trim_end().strip_suffix(':')?.trim_end().strip_suffix('`').map(|b| (b, ()))?;
    let (_, path) = before.rsplit_once('`')?;
    (path.contains('.') && !path.contains(' ')).then(|| path.to_owned())
}

/// As GitHub and mdBook make it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn links(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("_");
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(ToOwned::to_owned).collect()
}
