//! Which day a session is of, and what its times mean.

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use jiff::tz::TimeZone;
use nanobook::Timestamp;

use crate::{Error, Result};

/// Where NASDAQ's clocks stand.
const NEW_YORK: &str = "America/New_York";

/// The day of a session.
///
/// # Examples
/// ```
/// use nanobook_datasets::SessionDate;
///
/// let date = SessionDate::from_file_name("01302020.NASDAQ_ITCH50.gz")?;
/// assert_eq!(date.to_string(), "2020-01-30");
/// // Midnight in New York is five o'clock UTC in winter.
/// assert_eq!(date.midnight().0, 1_580_360_400_000_000_000);
/// # Ok::<(), nanobook_datasets::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionDate(civil::Date);

impl SessionDate {
    /// From a file's name as NASDAQ gives it: `01302020.NASDAQ_ITCH50.gz`, `20190730.BX_ITCH_50.gz`,
    /// `S013020-v50.txt.gz`.
    ///
    /// # Errors
    /// When the name is not of these forms, or what stands in the place of the date is none.
    pub fn from_file_name(name: &str) -> Result<Self> {
        let error = || Error::NoDate {
            name: name.to_owned(),
        };
        let digits = |text: &str| -> Option<i16> {
            text.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| text.parse().ok())
                .flatten()
        };
        let date = |year: &str, month: &str, day: &str| {
            let month = i8::try_from(digits(month)?).ok()?;
            let day = i8::try_from(digits(day)?).ok()?;
            civil::Date::new(digits(year)?, month, day).ok()
        };
        let (head, short) = match name.split_once('.') {
            Some((head, _)) if head.len() == 8 => (head, false),
            _ => match name
                .strip_prefix('S')
                .and_then(|rest| rest.split_once("-v"))
            {
                Some((head, _)) if head.len() == 6 => (head, true),
                _ => return Err(error()),
            },
        };
        if !head.is_ascii() {
            return Err(error());
        }
        let found = if short {
            date(&format!("20{}", &head[4..]), &head[..2], &head[2..4])
        } else {
            // No month begins with 19 or 20, so at most one of the two readings is a date of these centuries.
            date(&head[4..], &head[..2], &head[2..4])
                .filter(|date| (1970..2200).contains(&date.year()))
                .or_else(|| date(&head[..4], &head[4..6], &head[6..]))
        };
        found
            .filter(|date| (1970..2200).contains(&date.year()))
            .map(Self)
            .ok_or_else(error)
    }

    /// Midnight in New York at the start of the day.
    ///
    /// ITCH counts its times in nanoseconds from there. The zone database decides how far that is from UTC, also on
    /// days on which clocks change (at two in the morning, so the offset of midnight is that of the day before).
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic")]
    pub fn midnight(self) -> Timestamp {
        let zone = TimeZone::get(NEW_YORK).expect("the zone database is built in");
        let midnight = self
            .0
            .to_zoned(zone)
            .expect("years 1970 to 2200 have midnights");
        let ns = i64::try_from(midnight.timestamp().as_nanosecond());
        Timestamp(ns.expect("nanoseconds since 1970 fit 64 bits until 2262"))
    }
}

impl FromStr for SessionDate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let date: Option<civil::Date> = text.parse().ok();
        date.filter(|date| text.len() == 10 && (1970..2200).contains(&date.year()))
            .map(Self)
            .ok_or_else(|| Error::BadDate {
                text: text.to_owned(),
            })
    }
}

impl fmt::Display for SessionDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time of day such as `09:30`, `9:30:15` or `15:59:59.999`, in ns since midnight; `24:00` is the end of the day.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_time_of_day(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no time of day such as 09:30 or 15:59:59.5");
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let number = |text: &str, limit: u64| -> Result<u64, String> {
        let digits =
            !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        let value = digits.then(|| text.parse::<u64>().ok()).flatten();
        value.filter(|value| *value <= limit).ok_or_else(wrong)
    };
    let seconds = match parts[..] {
        [h, m] if fraction.is_none() => number(h, 24)? * 3600 + number(m, 59)? * 60,
        [h, m, s] => number(h, 24)? * 3600 + number(m, 59)? * 60 + number(s, 59)?,
        _ => return Err(wrong()),
    };
    let ns = match fraction {
        None => 0,
        Some(f) if (1..=9).contains(&f.len()) && f.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{f:0<9}").parse::<u64>().map_err(|_| wrong())?
        }
        Some(_) => return Err(wrong()),
    };
    let total = seconds * 1_000_000_000 + ns;
    if total > 86_400_000_000_000 {
        Err(wrong())
    } else {
        Ok(total)
    }
}

/// A length of time such as `100ms`, `1s`, `5m` or `1h`, in ns, not zero.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_interval(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no interval such as 100ms, 1s, 5m or 1h");
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(wrong()),
    };
    let ns = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(scale));
    ns.filter(|ns| (1..=86_400_000_000_000).contains(ns))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_three_forms_tell_the_day() {
        for (name, day) in [
            ("01302020.NASDAQ_ITCH50.gz", "2020-01-30"),
            ("20190730.BX_ITCH_50.gz", "2019-07-30"),
            ("S013020-v50.txt.gz", "2020-01-30"),
            ("12302019.NASDAQ_ITCH50", "2019-12-30"),
        ] {
            assert_eq!(SessionDate::from_file_name(name).unwrap().to_string(), day);
        }
        for name in [
            "day.itch",
            "13302020.NASDAQ_ITCH50",
            "S013020.gz",
            "é1302020.x",
            "0130202.x",
        ] {
            assert!(SessionDate::from_file_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn midnight_is_in_new_york_also_when_clocks_change() {
        for (day, hour_utc) in [
            ("2020-01-30", 5), // winter
            ("2019-07-30", 4), // summer
            ("2020-03-08", 5), // clocks go forward at two, after midnight
            ("2020-03-09", 4),
            ("2020-11-01", 4), // clocks go back at two, after midnight
            ("2020-11-02", 5),
        ] {
            let midnight = day.parse::<SessionDate>().unwrap().midnight().0;
            let noon: jiff::Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
            let offset = midnight - i64::try_from(noon.as_nanosecond()).unwrap();
            assert_eq!(offset, hour_utc * 3_600_000_000_000, "{day}");
        }
    }

    #[test]
    fn times_of_day_and_intervals() {
        assert_eq!(parse_time_of_day("09:30"), Ok(34_200_000_000_000));
        assert_eq!(parse_time_of_day("9:30:00.5"), Ok(34_200_500_000_000));
        assert_eq!(parse_time_of_day("24:00"), Ok(86_400_000_000_000));
        for bad in [
            "",
            "9",
            "25:00",
            "09:60",
            "09:30.5",
            "24:00:01",
            "-1:00",
            "09:30:00.",
            "+9:30",
        ] {
            assert!(parse_time_of_day(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_interval("100ms"), Ok(100_000_000));
        for bad in ["", "1", "0s", "1d", "s", "99999999999999h", "25h"] {
            assert!(parse_interval(bad).is_err(), "{bad}");
        }
    }
}
