//! Days as people count them.
//!
//! Owns the calendar, in UTC. Knows no clock: what day it is, whoever asks has to say.

/// Year, month and day of a day since 1970, as Howard Hinnant counts: years that begin in March, so that the leap day
/// is the last of its year, and eras of 400 of them, after which everything repeats itself.
///
/// ```
/// assert_eq!(migrate_core::calendar::date(11_016), (2000, 2, 29));
/// ```
#[must_use]
pub fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
