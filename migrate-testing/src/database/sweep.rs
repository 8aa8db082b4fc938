//! What processes left behind that did not get to drop their databases.
//!
//! Owns which databases may go, and how. Must not know how one is dropped.

use super::name::{Life, Name};

/// How long a database that was kept for somebody to look at stays, in seconds.
pub(super) const KEPT_FOR: u64 = 600;
/// How long one stays whose owner cannot be seen from here, in seconds.
const ELSEWHERE_FOR: u64 = 24 * 3600;
const KEPT: &str = "kept at ";

/// A database that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// Nobody can want it.
    Abandoned(String),
    /// Unless somebody is connected to it.
    Outdated(String),
}

/// What a database is noted to be that was kept.
pub(super) fn kept_note(now: u64) -> String {
    format!("{KEPT}{now}")
}

/// Whether a database may go, by its name and note.
pub(super) fn judge(text: String, note: Option<&str>, now: u64) -> Option<Leftover> {
    let name = Name::parse(&text)?;
    let older = |time: u64, limit: u64| now.saturating_sub(time) > limit;
    let kept = note.and_then(|note| note.strip_prefix(KEPT)?.parse().ok());
    match (kept, name.life()) {
        (_, Life::Lives) => None,
        (Some(at), _) => older(at, KEPT_FOR).then_some(Leftover::Outdated(text)),
        (None, Life::Ended) => Some(Leftover::Abandoned(text)),
        (None, Life::Elsewhere) => {
            older(name.since, ELSEWHERE_FOR).then_some(Leftover::Outdated(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::name;
    use super::*;

    /// The same name with another process or machine.
    fn like_ours(place: usize, value: &str) -> String {
        let ours = name::next();
        let mut parts: Vec<&str> = ours.split('_').collect();
        parts[place] = value;
        parts.join("_")
    }

    #[test]
    fn who_lives_keeps_his_databases() {
        assert_eq!(judge(name::next(), None, u64::MAX), None);
        assert_eq!(judge(name::next(), Some("kept at 0"), u64::MAX), None);
    }

    #[test]
    fn what_a_dead_process_had_goes_but_for_what_was_kept_a_moment_ago() {
        let dead = like_ours(3, "1");
        assert_eq!(judge(dead.clone(), None, 0), Some(Leftover::Abandoned(dead.clone())));
        let kept = kept_note(1000);
        assert_eq!(judge(dead.clone(), Some(&kept), 1000 + KEPT_FOR), None);
        let later = judge(dead.clone(), Some(&kept), 1001 + KEPT_FOR);
        assert_eq!(later, Some(Leftover::Outdated(dead)));
    }

    #[test]
    fn what_another_machine_has_goes_after_a_day() {
        let elsewhere = like_ours(1, "00000001");
        assert_eq!(judge(elsewhere.clone(), None, name::now()), None);
        let later = judge(elsewhere.clone(), None, name::now() + ELSEWHERE_FOR + 1);
        assert_eq!(later, Some(Leftover::Outdated(elsewhere)));
    }

    #[test]
    fn what_is_not_ours_stays() {
        assert_eq!(judge("production".to_owned(), None, u64::MAX), None);
    }
}
