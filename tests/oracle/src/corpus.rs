//! Our own torture cases: statements that are SQL, from some version on, and statements that are not.
//!
//! A blank line ends a statement. `# since 17` before one says who takes it; any other line with a `#` in front is
//! for the reader.

use crate::Result;
use crate::judged::{Case, Claim, Source};

const FINE: &str = include_str!("../corpus/fine.sql");
const WRONG: &str = include_str!("../corpus/wrong.sql");
/// The oldest that the library is for.
const ALWAYS: u32 = 13;

pub(crate) fn cases() -> Result<Vec<Case>> {
    let mut cases = read(FINE, Claim::FineSince(ALWAYS))?;
    cases.extend(read(WRONG, Claim::Wrong)?);
    Ok(cases)
}

fn read(text: &str, claim: Claim) -> Result<Vec<Case>> {
    let blocks = text.split("\n\n").map(|block| block.trim_matches('\n'));
    let cases = blocks.map(|block| case(block, claim)).collect::<Result<Vec<_>>>()?;
    Ok(cases.into_iter().flatten().collect())
}

fn case(block: &str, usual: Claim) -> Result<Option<Case>> {
    let (mut claim, mut lines) = (usual, Vec::new());
    for line in block.lines() {
        match line.strip_prefix("# since ") {
            Some(major) => claim = Claim::FineSince(major.parse()?),
            None if line.starts_with("# ") => {}
            None => lines.push(line),
        }
    }
    let text = lines.join("\n");
    let case = Case { source: Source::Corpus(claim), text };
    Ok(Some(case).filter(|case| !case.text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_line_ends_a_statement() {
        let text = "# About.\n\nSELECT\n1;\n\n# since 17\n# Why.\nMERGE\n";
        let cases = read(text, Claim::FineSince(13)).unwrap();
        let cases: Vec<_> = cases.into_iter().map(|case| (case.source, case.text)).collect();
        let source = |major| Source::Corpus(Claim::FineSince(major));
        let expected = [(source(13), "SELECT\n1;".to_owned()), (source(17), "MERGE".to_owned())];
        assert_eq!(cases, expected);
    }

    #[test]
    fn no_statement_stands_there_twice() {
        let mut texts: Vec<_> = cases().unwrap().into_iter().map(|case| case.text).collect();
        let all = texts.len();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), all);
    }
}
