//! What two looks tell that one does not: since when something has been so, and how fast something grows.
//!
//! Pure. Owns these rules; the clock is the server's, as each look brings it.

use std::time::Duration;

/// Something that has not changed since a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since<T> {
    /// What.
    pub what: T,
    /// When it was first seen.
    pub at: Duration,
}

impl<T: PartialEq> Since<T> {
    /// As it is now; it was seen before if it is what it was.
    pub(crate) fn still(what: T, now: Duration, earlier: Option<&Self>) -> Self {
        let at = earlier.filter(|earlier| earlier.what == what).map_or(now, |earlier| earlier.at);
        Self { what, at: at.min(now) }
    }

    /// For so long at least.
    pub(crate) fn lasts(&self, now: Duration) -> Duration {
        now.saturating_sub(self.at)
    }
}

/// How far a standby is.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// WAL that it does not show yet.
    pub bytes: u64,
    /// For how long.
    pub late: Duration,
    /// Its last word, since it came.
    heard: Since<String>,
    /// What it shows, since that is not all.
    stands: Option<Since<u64>>,
}

/// What the server tells of a standby.
pub(crate) struct Told {
    pub(crate) replayed: u64,
    pub(crate) received: u64,
    /// When its last word was sent, by its own clock, which may be any.
    pub(crate) reply: String,
    /// How long the last change took that it has confirmed.
    pub(crate) lag: Duration,
}

impl Position {
    /// The server measures how late a standby is when it confirms something: of one that stands still it goes on to tell
    /// the old value. So it is watched for how long what it shows has not moved. One that has received everything says
    /// only every few seconds that it has replayed it, too: then its silence is no delay.
    pub(crate) fn follow(told: Told, flushed: u64, now: Duration, earlier: Option<&Self>) -> Self {
        let Told { replayed, received, reply, lag } = told;
        let heard = Since::still(reply, now, earlier.map(|earlier| &earlier.heard));
        let before = earlier.and_then(|earlier| earlier.stands.as_ref());
        let stands = (replayed < flushed).then(|| Since::still(replayed, now, before));
        let until = if received >= flushed { heard.at } else { now };
        let late = stands.map_or(Duration::ZERO, |stands| stands.lasts(until).max(lag));
        Self { bytes: flushed.saturating_sub(replayed), late, heard, stands }
    }
}

/// Where a segment of WAL begins, by the name of its file, which may have an ending.
fn begins(file: &str, segment: u64) -> Option<u64> {
    let name = file.get(..24).filter(|name| name.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let part = |range| name.get(range).and_then(|part| u64::from_str_radix(part, 16).ok());
    let (log, number) = (part(8..16)?, part(16..24)?);
    (log << 32).checked_add(number.checked_mul(segment)?)
}

/// Whole segments that wait to be archived. They are archived one after the other, so the one that failed last is the
/// oldest, unless it got through since. Where none was ever tried, none was ready.
pub(crate) fn unarchived(
    written: u64,
    segment: u64,
    archived: Option<&str>,
    failed: Option<&str>,
) -> u64 {
    let archived = archived.and_then(|file| begins(file, segment));
    let failed = failed.and_then(|file| begins(file, segment));
    let next = archived.map(|begin| begin.saturating_add(segment)).or(failed);
    let waiting = next.map_or(0, |next| written.saturating_sub(next));
    waiting.checked_div(segment).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn something_lasts_as_long_as_it_is_the_same() {
        let first = Since::still("a", s(5), None);
        let second = Since::still("a", s(9), Some(&first));
        assert_eq!(second.lasts(s(9)), s(4));
        assert_eq!(Since::still("b", s(9), Some(&first)).lasts(s(9)), s(0));
        // The clock was set back.
        assert_eq!(Since::still("a", s(1), Some(&second)).lasts(s(2)), s(1));
    }

    fn look(
        (at, flushed): (u64, u64),
        (replayed, received, reply): (u64, u64, &str),
        earlier: Option<&Position>,
    ) -> Position {
        let told = Told { replayed, received, reply: reply.to_owned(), lag: s(0) };
        Position::follow(told, flushed, s(at), earlier)
    }

    #[test]
    fn a_standby_that_stands_still_is_late_though_the_server_does_not_say_so() {
        let first = look((100, 50), (50, 50, "a"), None);
        assert_eq!((first.bytes, first.late), (0, s(0)));
        let second = look((101, 60), (50, 60, "b"), Some(&first));
        assert_eq!((second.bytes, second.late), (10, s(0)));
        let third = look((105, 70), (50, 70, "c"), Some(&second));
        assert_eq!((third.bytes, third.late), (20, s(4)));
        // It moves: however far it is behind, it is not known to be late.
        let fourth = look((106, 80), (51, 80, "d"), Some(&third));
        assert_eq!((fourth.bytes, fourth.late), (29, s(0)));
    }

    #[test]
    fn a_standby_that_has_everything_is_not_late_because_it_says_nothing() {
        let first = look((100, 60), (50, 60, "a"), None);
        let second = look((108, 60), (50, 60, "a"), Some(&first));
        assert_eq!(second.late, s(0));
        let third = look((110, 60), (50, 60, "b"), Some(&second));
        assert_eq!(third.late, s(10), "it has had its say");
    }

    #[test]
    fn a_standby_that_receives_nothing_is_late_because_it_says_nothing() {
        let first = look((100, 60), (50, 50, "a"), None);
        assert_eq!(look((108, 60), (50, 50, "a"), Some(&first)).late, s(8));
    }

    #[test]
    fn what_a_standby_confirmed_last_counts_until_it_shows_everything() {
        let told = |replayed| Told { replayed, received: 9, reply: String::new(), lag: s(5) };
        assert_eq!(Position::follow(told(8), 9, s(1), None).late, s(5));
        assert_eq!(Position::follow(told(9), 9, s(1), None).late, s(0));
    }

    #[test]
    fn segments_that_wait_are_counted_by_their_names() {
        let (kept, mb) =
            (|archived, failed| unarchived(5 << 32, 16 << 20, archived, failed), 16 << 20);
        // Of 256 segments in each 4 GiB the last of those before was archived.
        assert_eq!(kept(Some("0000000100000004000000FF"), None), 0);
        assert_eq!(kept(Some("0000000100000004000000FE"), None), 1);
        assert_eq!(kept(Some("000000010000000400000000.00000028.backup"), None), 255);
        // It failed, and got through since or is the next.
        assert_eq!(kept(Some("0000000100000004000000FE"), Some("000000010000000400000001")), 1);
        assert_eq!(kept(None, Some("0000000100000004000000FE")), 2);
        assert_eq!(kept(None, None), 0);
        assert_eq!(kept(Some("00000002.history"), None), 0);
        assert_eq!(unarchived(u64::MAX, mb, Some("00000001FFFFFFFFFFFFFFFF"), None), 0);
        assert_eq!(unarchived(1, 0, Some("000000010000000000000001"), None), 0);
    }
}
