//! What is asked for.

use migrate_testing::SUPPORTED;

use crate::runs;

pub(crate) const USAGE: &str =
    "usage: crash-matrix [--quick] [--planted] [--postgres all|13,18] [--run NAME]";

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) quick: bool,
    pub(crate) planted: bool,
    /// The major versions of the servers; none is the one that is installed.
    pub(crate) majors: Vec<u32>,
    pub(crate) only: Option<String>,
}

impl Wish {
    pub(crate) fn parse(words: &[String]) -> Option<Self> {
        let mut wish = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => wish.quick = true,
                "--planted" => wish.planted = true,
                "--postgres" => wish.majors = majors(words.next()?)?,
                "--run" => wish.only = Some(run(words.next()?)?),
                _ => return None,
            }
        }
        Some(wish)
    }
}

fn run(name: &str) -> Option<String> {
    runs::ALL.iter().any(|run| run.name == name).then(|| name.to_owned())
}

fn majors(list: &str) -> Option<Vec<u32>> {
    if list == "all" {
        return Some(SUPPORTED.collect());
    }
    let major = |word: &str| word.parse().ok().filter(|major| SUPPORTED.contains(major));
    list.split(',').map(major).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Option<Wish> {
        Wish::parse(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_typed_is_what_is_wished() {
        let wish = parsed("--quick --postgres 13,18 --run standalone").unwrap();
        let only = Some("standalone".to_owned());
        assert_eq!(wish, Wish { quick: true, planted: false, majors: vec![13, 18], only });
        assert_eq!(parsed(""), Some(Wish::default()));
        assert_eq!(parsed("--planted --postgres all").unwrap().majors.len(), 6);
    }

    #[test]
    fn anything_else_is_refused() {
        for words in ["--fast", "--postgres", "--postgres 12", "--run nothing", "standalone"] {
            assert_eq!(parsed(words), None, "{words}");
        }
    }
}
