//! Links lead somewhere, and every page can be reached.

use crate::page::{self, Page, docs};

/// The pages and the texts at the root, with what they link to.
fn dead(page: &Page, pages: &[Page]) -> Vec<String> {
    let inside = page.links.iter().filter(|(_, link)| !link.contains("://"));
    let dead = inside.filter(|(_, link)| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let file = if file.is_empty() { &page.name } else { file };
        match pages.iter().find(|page| page.name == file) {
            Some(other) => !anchor.is_empty() && !other.anchors.iter().any(|known| known == anchor),
            // A picture.
            None => !file.starts_with("images/") || !docs().join(file).exists(),
        }
    });
    dead.map(|(line, link)| format!("{}:{line}: {link}", page.name)).collect()
}

/// A link out of the folder would be dead where the book is rendered.
#[test]
fn links_lead_to_pages_of_the_book_and_to_headings_that_are_there() {
    let pages = page::all();
    let dead: Vec<String> = pages.iter().flat_map(|page| dead(page, &pages)).collect();
    assert_eq!(dead, [""; 0]);
    let links = pages.iter().map(|page| page.links.len()).sum::<usize>();
    assert!(links > 30, "only {links}: does this test find links?");
}

#[test]
fn the_links_of_the_readme_lead_somewhere() {
    let readme = Page::read("../README.md");
    assert!(!readme.links.is_empty());
    for (line, link) in readme.links.iter().filter(|(_, link)| !link.contains("://")) {
        let file = link.split('#').next().unwrap_or_default();
        assert!(docs().join("..").join(file).exists(), "README.md:{line}: {link}");
    }
}

#[test]
fn every_page_is_a_chapter() {
    let summary = Page::read("SUMMARY.md");
    let listed = |page: &&Page| !summary.links.iter().any(|(_, link)| *link == page.name);
    let pages = page::all();
    let missing: Vec<_> =
        pages.iter().filter(|page| page.name != "SUMMARY.md").filter(listed).collect();
    let missing: Vec<_> = missing.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(missing, [""; 0], "add them to docs/SUMMARY.md");
}

/// What a page names in backquotes of this repository, the reader will look for.
#[test]
fn files_that_are_named_are_there() {
    let folders = ["tests/promises/", "examples/", "benches/", "migrate-macros/", "docs/"];
    for page in page::all() {
        let text = std::fs::read_to_string(docs().join(&page.name)).expect("a page");
        let named =
            text.split('`').filter(|code| folders.iter().any(|folder| code.starts_with(folder)));
        let gone: Vec<&str> = named.filter(|path| !page::root().join(path).exists()).collect();
        assert_eq!(gone, [""; 0], "{}", page.name);
    }
}

#[test]
fn the_settings_of_the_renderer_can_be_read() {
    let text = std::fs::read_to_string(docs().join("book.toml")).expect("book.toml");
    text.parse::<toml::Table>().expect("toml");
}
