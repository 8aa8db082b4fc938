//! Every block is held to something, and the few that cannot be say why.

use migrate_book::COMPILED;

use crate::chapters::{self, DONE_BY_HAND, TYPED};
use crate::page::{self, Block, Page};

/// What cannot be run here. A block more is a decision, to be made in this line.
const NOT_RUN: usize = 2;

fn problem(page: &Page, block: &Block) -> Option<String> {
    let typed = TYPED.contains(&page.name.as_str()) || DONE_BY_HAND.contains(&page.name.as_str());
    let held = match block.language.split(',').next().unwrap_or_default() {
        _ if block.not_run.is_some() => true,
        // Made of the examples of the rules, which are judged and run by the tests of the linter.
        "sql" if page.name == "rules.md" => true,
        "rust" => {
            COMPILED.contains(&page.name.as_str())
                || block.file.is_some() && DONE_BY_HAND.contains(&page.name.as_str())
        }
        "sql" | "console" | "toml" => typed,
        "diff" => chapters::is_the_switch(&block.text),
        "text" => page.name == "troubleshooting.md",
        _ => false,
    };
    (!held).then(|| {
        format!("{}:{}: nothing looks at this `{}`", page.name, block.line, block.language)
    })
}

#[test]
fn every_block_is_compiled_or_run() {
    let pages = page::all();
    let of = |page: &Page| {
        page.blocks.iter().filter_map(|block| problem(page, block)).collect::<Vec<_>>()
    };
    assert_eq!(pages.iter().flat_map(of).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_blocks_that_are_not_run_are_few_and_say_why() {
    let pages = page::all();
    let blocks = pages.iter().flat_map(|page| page.blocks.iter().map(move |block| (page, block)));
    let not_run: Vec<String> = blocks
        .filter_map(|(page, block)| {
            Some(format!("{}:{}: {}", page.name, block.line, block.not_run.as_ref()?))
        })
        .collect();
    assert!(not_run.iter().all(|line| line.len() > 20), "{not_run:#?}");
    assert_eq!(not_run.len(), NOT_RUN, "{not_run:#?}");
}

/// A doctest that is `ignore`d is not compiled.
#[test]
fn no_rust_is_ignored_in_silence() {
    for page in page::all() {
        for block in page.blocks.iter().filter(|block| block.language.contains("ignore")) {
            assert!(block.not_run.is_some(), "{}:{}", page.name, block.line);
        }
    }
}
