//! Limits as the table of backfills has them: `name=value`, separated by commas.
//!
//! Owns how such a text is taken apart and put together. What a limit means is not known here.

use crate::error::Error;
use crate::throttle::Limits;

/// One after another. A value may have commas in it: what has no `=` belongs to the one before.
pub(super) fn each(said: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for piece in said.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        match all.last_mut().filter(|_| !piece.contains('=')) {
            Some(last) => *last = format!("{last},{piece}"),
            None => all.push(piece.to_owned()),
        }
    }
    all
}

/// Why a limit is none, and what to write instead where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) why: String,
    pub(super) next: Option<String>,
}

impl Refused {
    fn new(why: String) -> Self {
        Self { why, next: None }
    }

    fn of(error: &Error) -> Self {
        let (why, next) = error.parts();
        let why = why.strip_prefix("failed to set the ").unwrap_or(why);
        Self { why: why.to_owned(), next: next.map(ToOwned::to_owned) }
    }
}

/// Some of them changed, the others as they were, in their order; an empty value takes one away.
pub(super) fn merged(before: &str, changes: &[&str]) -> Result<String, Refused> {
    let mut limits: Vec<(String, String)> =
        each(before).iter().filter_map(|limit| split(limit)).collect();
    for change in changes.iter().flat_map(|changes| each(changes)) {
        let (name, value) =
            split(&change).ok_or_else(|| Refused::new(format!("`{change}` is no limit")))?;
        let place = limits.iter().position(|(known, _)| *known == name);
        match (value.is_empty(), place) {
            (true, Some(place)) => drop(limits.remove(place)),
            (true, None) => {
                return Err(Refused::new(format!("it has no limit `{name}` of its own")));
            }
            (false, place) => {
                let set = Limits::default().set(&format!("{name}={value}"));
                set.map_err(|error| Refused::of(&error))?;
                match place.and_then(|place| limits.get_mut(place)) {
                    Some(limit) => limit.1 = value,
                    None => limits.push((name, value)),
                }
            }
        }
    }
    let limits: Vec<_> = limits.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(limits.join(", "))
}

fn split(limit: &str) -> Option<(String, String)> {
    let (name, value) = limit.split_once('=')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_have_commas() {
        assert_eq!(each(" a=1,b=x,y , c=2,"), ["a=1", "b=x,y", "c=2"]);
        assert!(each("").is_empty());
    }

    #[test]
    fn limits_are_merged_by_their_names() {
        let change = |before, changes: &[&str]| merged(before, changes);
        assert_eq!(change("", &["batch_time=100ms"]), Ok("batch_time=100ms".to_owned()));
        let before = "batch_time=100ms, other=1,2";
        let other = Ok("batch_time=2s, other=1,2".to_owned());
        assert_eq!(change(before, &[" batch_time=2s "]), other);
        assert_eq!(change(before, &["other=,batch_time="]), Ok(String::new()));
    }

    #[test]
    fn one_that_is_wrong_changes_none() {
        for wrong in ["batch_tiem=3s", "batch_time=soon", "other=", "batch_time"] {
            assert!(merged("batch_time=1s", &["batch_time=2s", wrong]).is_err(), "{wrong}");
        }
    }
}
