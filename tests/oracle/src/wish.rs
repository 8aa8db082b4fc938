//! What is asked for.

use migrate_testing::SUPPORTED;

pub(crate) const USAGE: &str = "usage: oracle [--quick] [--postgres all|13,18]";

/// So many that one more or less is nothing to the rate.
const MUTANTS: usize = 13_000;
const FEW_MUTANTS: usize = 2_000;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) mutants: usize,
    /// The major versions of the servers, the oldest first.
    pub(crate) majors: Vec<u32>,
}

impl Wish {
    pub(crate) fn parse(words: &[String]) -> Option<Self> {
        let mut wish = Self { mutants: MUTANTS, majors: vec![15, 18] };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => wish.mutants = FEW_MUTANTS,
                "--postgres" => wish.majors = majors(words.next()?)?,
                _ => return None,
            }
        }
        Some(wish)
    }

    /// What repeats the run.
    pub(crate) fn command(&self) -> String {
        let quick = if self.mutants == MUTANTS { "" } else { " --quick" };
        let library = if cfg!(feature = "pg_query") { " --pg-query" } else { "" };
        let majors: Vec<String> = self.majors.iter().map(u32::to_string).collect();
        format!("cargo xtask oracle{quick}{library} --postgres {}", majors.join(","))
    }
}

fn majors(list: &str) -> Option<Vec<u32>> {
    if list == "all" {
        return Some(SUPPORTED.collect());
    }
    let major = |word: &str| word.parse().ok().filter(|major| SUPPORTED.contains(major));
    let mut majors: Vec<u32> = list.split(',').map(major).collect::<Option<_>>()?;
    majors.sort_unstable();
    majors.dedup();
    Some(majors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Option<Wish> {
        Wish::parse(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_typed_is_what_repeats_it() {
        let wish = parsed("--quick --postgres 18,13").unwrap();
        assert_eq!(wish, Wish { mutants: FEW_MUTANTS, majors: vec![13, 18] });
        assert!(wish.command().starts_with("cargo xtask oracle --quick"));
        assert!(wish.command().ends_with("--postgres 13,18"));
        assert_eq!(parsed("--postgres all").map(|wish| wish.majors.len()), Some(6));
    }

    #[test]
    fn anything_else_is_refused() {
        for words in ["--fast", "--postgres", "--postgres 12", "--postgres 13,x", "18"] {
            assert_eq!(parsed(words), None, "{words}");
        }
    }
}
