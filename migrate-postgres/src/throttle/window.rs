//! The hours of a day in which there is work.
//!
//! Owns how they are read and whether a minute is among them. What time it is, is somebody else's to say.

use std::fmt;

/// From one minute of the day up to another, perhaps over midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    from: u16,
    to: u16,
    /// The time zone that the minutes are of; the server's own where there is none.
    pub(super) zone: Option<String>,
}

impl Window {
    /// `22:00-06:00`, or `22:00-06:00 Europe/Berlin`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (hours, zone) = match text.split_once(' ') {
            Some((hours, zone)) => (hours, Some(zone.trim().to_owned())),
            None => (text, None),
        };
        let (from, to) = hours.split_once('-')?;
        let window = Self { from: minute(from)?, to: minute(to)?, zone };
        (window.from != window.to && window.zone.as_deref() != Some("")).then_some(window)
    }

    /// Is this minute of the day in it?
    pub(super) fn has(&self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// When it begins, for a sentence.
    pub(super) fn beginning(&self) -> String {
        clock(self.from)
    }
}

/// `24:00` is the end of a day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let of = |part: &str| part.parse::<u16>().ok().filter(|_| part.len() == 2);
    let (hour, minute) = (of(hour)?, of(minute)?);
    let all = hour * 60 + minute;
    (hour <= 24 && minute < 60 && all <= 24 * 60).then_some(all)
}

/// A minute of the day as a clock shows it.
pub(super) fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", clock(self.from), clock(self.to))?;
        match &self.zone {
            Some(zone) => write!(f, " {zone}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_may_lie_over_midnight() {
        let has = |text: &str, minute| Window::read(text).unwrap().has(minute);
        for (minute, night, day) in
            [(0, true, false), (359, true, false), (360, false, true), (1319, false, false)]
        {
            assert_eq!(has("22:00-06:00", minute), night, "{minute}");
            assert_eq!(has("06:00-20:00", minute), day, "{minute}");
        }
        assert!(has("22:00-06:00", 1320) && has("00:00-24:00", 1439));
    }

    #[test]
    fn what_is_no_window_is_not_taken_for_one() {
        for text in [
            "",
            "22-6",
            "22:00",
            "22:00-22:00",
            "25:00-26:00",
            "22:61-23:00",
            "2:00-3:00",
            "24:30-03:00",
        ] {
            assert_eq!(Window::read(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_shown_as_it_is_read() {
        for text in ["22:00-06:00", "00:30-24:00 Europe/Berlin"] {
            assert_eq!(Window::read(text).unwrap().to_string(), text);
        }
    }
}
