//! When the market is open.

use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::TimeZone;
use nanobook::Timestamp;
use serde::Deserialize;

use super::{BrokerName, ConfigError, Result};

/// Which hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Those of US equities at Interactive Brokers; always elsewhere.
    #[default]
    Venue,
    /// Always.
    Always,
    /// Those of US equities: 9:30 to 16:00 in New York, 13:00 before some holidays, but on holidays.
    UsEquities,
    /// From `open` to `close` on Monday to Friday, in `zone`, but on `holidays`.
    Custom,
}

/// When the market is open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hours {
    /// Which hours.
    pub gate: Gate,
    /// The time zone of the hours, by its name in the zone database; New York unless given.
    pub zone: String,
    /// When it opens; 09:30 unless given.
    pub open: String,
    /// When it closes; 16:00 unless given.
    pub close: String,
    /// Days on which it stays closed, such as `2026-12-25`; besides those of US equities, where they are asked for.
    pub holidays: Vec<String>,
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            gate: Gate::Venue,
            zone: "America/New_York".to_owned(),
            open: "09:30".to_owned(),
            close: "16:00".to_owned(),
            holidays: Vec::new(),
        }
    }
}

/// Whether the market is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It is.
    Open,
    /// It is not.
    Closed,
}

impl Hours {
    pub(super) fn check(&self) -> Result<()> {
        let fail = |key, found: &str, expected| {
            let found = format!("{found:?}");
            Err(ConfigError::Value {
                key,
                found,
                expected,
            })
        };
        if TimeZone::get(&self.zone).is_err() {
            let expected = "the name of a time zone, such as Europe/London";
            return fail("hours.zone", &self.zone, expected);
        }
        let (open, close) = (clock(&self.open), clock(&self.close));
        if open.is_none() {
            return fail("hours.open", &self.open, "a time of day, such as 09:30");
        }
        if close.is_none() || close <= open {
            let expected = "a time of day after hours.open, such as 16:00";
            return fail("hours.close", &self.close, expected);
        }
        match self
            .holidays
            .iter()
            .find(|day| day.parse::<Date>().is_err())
        {
            Some(day) => fail("hours.holidays", day, "days such as 2026-12-25"),
            None => Ok(()),
        }
    }

    /// Whether the market of a broker is open at a time.
    pub fn at(&self, broker: BrokerName, now: Timestamp) -> Opening {
        let gate = match (self.gate, broker) {
            (Gate::Venue, BrokerName::Ibkr) => Gate::UsEquities,
            (Gate::Venue, _) => Gate::Always,
            (gate, _) => gate,
        };
        let is_open = match gate {
            Gate::Venue | Gate::Always => true,
            Gate::UsEquities => self.is_open(now, "America/New_York", us_session),
            Gate::Custom => {
                let hours = clock(&self.open).zip(clock(&self.close));
                self.is_open(now, &self.zone, |_| hours)
            }
        };
        if is_open {
            Opening::Open
        } else {
            Opening::Closed
        }
    }

    fn is_open(
        &self,
        now: Timestamp,
        zone: &str,
        session: impl Fn(Date) -> Option<(Time, Time)>,
    ) -> bool {
        let time = jiff::Timestamp::from_nanosecond(i128::from(now.0));
        // What is not known is closed.
        let (Ok(time), Ok(zone)) = (time, TimeZone::get(zone)) else {
            return false;
        };
        let local = time.to_zoned(zone).datetime();
        let day = local.date();
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let listed = self
            .holidays
            .iter()
            .any(|text| text.parse::<Date>().is_ok_and(|d| d == day));
        let hours = if weekend || listed {
            None
        } else {
            session(day)
        };
        hours.is_some_and(|(open, close)| open <= local.time() && local.time() < close)
    }
}

fn clock(text: &str) -> Option<Time> {
    text.parse().ok()
}

/// The session of US equities on a weekday, by the exchange's rules of holidays; `None` on a holiday. Days of mourning and
/// of storms are in no rule: list them.
fn us_session(day: Date) -> Option<(Time, Time)> {
    let year = day.year();
    let nth = |month, nth, weekday| first(year, month).nth_weekday_of_month(nth, weekday).ok();
    let observed = |month, of_month| {
        let holiday = date(year, month, of_month);
        match holiday.weekday() {
            Weekday::Saturday => holiday.yesterday().ok(),
            Weekday::Sunday => holiday.tomorrow().ok(),
            _ => Some(holiday),
        }
    };
    // A New Year's Day on Saturday is not observed on the Friday before, which ends the year.
    let new_year = match date(year, 1, 1).weekday() {
        Weekday::Sunday => Some(date(year, 1, 2)),
        _ => Some(date(year, 1, 1)),
    };
    let holidays = [
        new_year,
        nth(1, 3, Weekday::Monday),
        nth(2, 3, Weekday::Monday),
        good_friday(year),
        nth(5, -1, Weekday::Monday),
        if year >= 2022 { observed(6, 19) } else { None },
        observed(7, 4),
        nth(9, 1, Weekday::Monday),
        nth(11, 4, Weekday::Thursday),
        observed(12, 25),
    ];
    if holidays.contains(&Some(day)) {
        return None;
    }
    let thanksgiving = nth(11, 4, Weekday::Thursday).and_then(|day| day.tomorrow().ok());
    let half_days = [
        thanksgiving,
        Some(date(year, 7, 3)),
        Some(date(year, 12, 24)),
    ];
    let close = if half_days.contains(&Some(day)) {
        13
    } else {
        16
    };
    Some((Time::constant(9, 30, 0, 0), Time::constant(close, 0, 0, 0)))
}

fn first(year: i16, month: i8) -> Date {
    date(year, month, 1)
}

/// Two days before Easter Sunday, by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).
fn good_friday(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let (golden, century, of_century) = (year_number % 19, year_number / 100, year_number % 100);
    let shift = (8 * century + 13) / 25;
    let moon = (19 * golden + century - century / 4 - shift + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - moon - of_century % 4) % 7;
    let late = (golden + 11 * moon + 19 * weekday) / 433;
    let month = (moon + weekday - 7 * late + 90) / 25;
    let day = (moon + weekday - 7 * late + 33 * month + 19) % 32;
    let easter = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    easter.yesterday().ok()?.yesterday().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(text: &str) -> Opening {
        let hours = Hours {
            gate: Gate::UsEquities,
            ..Hours::default()
        };
        let time: jiff::Timestamp = text.parse().unwrap();
        let ns = i64::try_from(time.as_nanosecond()).unwrap();
        hours.at(BrokerName::Paper, Timestamp(ns))
    }

    #[test]
    fn us_equities_trade_in_new_york_hours_on_both_sides_of_a_clock_change() {
        assert_eq!(us("2026-11-23T14:29:59Z"), Opening::Closed);
        assert_eq!(us("2026-11-23T14:30:00Z"), Opening::Open);
        assert_eq!(us("2026-11-23T20:59:59Z"), Opening::Open);
        assert_eq!(us("2026-11-23T21:00:00Z"), Opening::Closed);
        assert_eq!(us("2026-10-30T13:30:00Z"), Opening::Open);
        assert_eq!(us("2026-11-22T15:00:00Z"), Opening::Closed);
    }

    #[test]
    fn us_holidays_are_those_of_the_exchange() {
        // The exchange's lists for 2024 to 2027.
        let closed = [
            "2024-01-01",
            "2024-01-15",
            "2024-02-19",
            "2024-03-29",
            "2024-05-27",
            "2024-06-19",
            "2024-07-04",
            "2024-09-02",
            "2024-11-28",
            "2024-12-25",
            "2025-04-18",
            "2026-04-03",
            "2026-06-19",
            "2026-07-03",
            "2026-11-26",
            "2027-03-26",
            "2027-06-18",
            "2027-07-05",
            "2027-12-24",
        ];
        for day in closed {
            assert_eq!(us(&format!("{day}T16:00:00Z")), Opening::Closed, "{day}");
        }
        for day in [
            "2021-12-31",
            "2024-11-29",
            "2024-07-03",
            "2025-12-24",
            "2026-11-27",
        ] {
            assert_eq!(us(&format!("{day}T16:00:00Z")), Opening::Open, "{day}");
        }
        assert_eq!(us("2024-11-29T18:00:00Z"), Opening::Closed, "a half day");
    }

    #[test]
    fn hours_of_ones_own_are_checked() {
        let config = |text: &str| super::super::Config::from_toml(text);
        assert!(config("[hours]\ngate = \"custom\"\nzone = \"Europe/London\"").is_ok());
        for bad in [
            "zone = \"Mars\"",
            "open = \"9\"",
            "close = \"08:00\"",
            "holidays = [\"x\"]",
        ] {
            let error = config(&format!("[hours]\n{bad}")).unwrap_err().to_string();
            assert!(error.starts_with("hours."), "{error}");
        }
        let hours = Hours {
            gate: Gate::Custom,
            holidays: vec!["2026-11-23".to_owned()],
            ..Hours::default()
        };
        let time: jiff::Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
        let ns = i64::try_from(time.as_nanosecond()).unwrap();
        assert_eq!(hours.at(BrokerName::Paper, Timestamp(ns)), Opening::Closed);
    }
}
