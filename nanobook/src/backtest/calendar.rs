//! Days out of nanoseconds, for messages and for monthly tables.

use std::fmt;

pub(crate) const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Year, month and day of a time, UTC, in the Gregorian calendar.
///
/// Years are counted from March in cycles of 400, which makes the leap day the last day of one.
pub(crate) fn date(ns: i64) -> (i64, u32, u32) {
    const DAYS_PER_CYCLE: i64 = 146_097;
    // Days since 1 March of the year 0.
    let days = ns.div_euclid(NANOS_PER_DAY) + 719_468;
    let (cycle, day) = (
        days.div_euclid(DAYS_PER_CYCLE),
        days.rem_euclid(DAYS_PER_CYCLE),
    );
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let small = |n: i64| u32::try_from(n).expect("a month or a day is small");
    (
        cycle * 400 + year + next_year,
        small(month),
        small(day_of_month),
    )
}

/// A time as text: the day, and the time of the day unless it is midnight.
pub(crate) struct Iso(pub(crate) i64);

impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        let nanos = self.0.rem_euclid(NANOS_PER_DAY);
        if nanos == 0 {
            return Ok(());
        }
        let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "T{hour:02}:{minute:02}:{second:02}")?;
        if nanos != 0 {
            let digits = format!("{nanos:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        write!(f, "Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_one_another() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(-1), (1969, 12, 31));
        assert_eq!(date(951_782_400 * 1_000_000_000), (2000, 2, 29));
        let mut before = date(-100_000 * NANOS_PER_DAY);
        for day in -100_000 + 1..100_000 {
            let now = date(day * NANOS_PER_DAY);
            let next_day = now == (before.0, before.1, before.2 + 1);
            let next_month = now == (before.0, before.1 + 1, 1) && before.2 >= 28;
            let next_year = now == (before.0 + 1, 1, 1) && (before.1, before.2) == (12, 31);
            assert!(next_day || next_month || next_year, "{before:?} {now:?}");
            before = now;
        }
    }

    #[test]
    fn text_is_as_short_as_the_time() {
        assert_eq!(Iso(0).to_string(), "1970-01-01");
        assert_eq!(Iso(1_500_000_000).to_string(), "1970-01-01T00:00:01.5Z");
    }
}
