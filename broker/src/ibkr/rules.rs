//! What the gateway says of an instrument: ticks by price, and hours.

use nanobook::trading::Instrument;
use nanobook::{Price, Side, Timestamp};

/// The rules of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The part of them that all venues have; its tick is the smallest one.
    pub instrument: Instrument,
    /// Ticks by price.
    pub ticks: Ticks,
    /// Regular hours (`liquidHours`).
    pub regular: Hours,
    /// Regular and extended hours (`tradingHours`).
    pub extended: Hours,
}

/// Ticks by price: a market rule. An instrument can have finer ticks at lower prices.
///
/// # Examples
/// ```
/// use nanobook::{Price, Side};
/// use nanobook_broker::ibkr::Ticks;
///
/// let cent = Price(10_000_000);
/// let ticks = Ticks::new(vec![(Price(0), cent), (Price(10_000_000_000), Price(50_000_000))]);
/// assert_eq!(ticks.at(Price(9_990_000_000)), Some(cent));
/// assert_eq!(ticks.snap(Price(12_340_000_000), Side::Buy), Some(Price(12_300_000_000)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticks(Vec<(Price, Price)>);

impl Ticks {
    /// From the lowest price of each band and the tick there; ticks that are not above zero are left out.
    pub fn new(mut bands: Vec<(Price, Price)>) -> Self {
        bands.retain(|(_, tick)| tick.0 > 0);
        bands.sort_unstable();
        Self(bands)
    }

    /// The lowest price of each band, and the tick there, lowest first.
    pub fn bands(&self) -> &[(Price, Price)] {
        &self.0
    }

    /// The band of a price: where it begins, and its tick.
    fn band(&self, price: Price) -> Option<(Price, Price)> {
        let after = self.0.partition_point(|(edge, _)| *edge <= price);
        // Below all bands the lowest one counts.
        self.0.get(after.saturating_sub(1)).copied()
    }

    /// The tick at a price; `None` when there are no bands.
    pub fn at(&self, price: Price) -> Option<Price> {
        self.band(price).map(|(_, tick)| tick)
    }

    /// The smallest tick.
    pub fn smallest(&self) -> Option<Price> {
        self.0.iter().map(|(_, tick)| *tick).min()
    }

    /// A price that is taken: the given one, or the next that is no worse for this side.
    pub fn snap(&self, price: Price, side: Side) -> Option<Price> {
        let tick = self.at(price)?.0;
        let below = price.0.div_euclid(tick) * tick;
        match side {
            Side::Sell if below < price.0 => below.checked_add(tick).map(Price),
            _ => Some(Price(below)),
        }
    }

    /// What is asked of a price that is none of its band.
    pub(super) fn fault(&self, price: Price) -> Option<String> {
        let (edge, tick) = self.band(price)?;
        let from = if edge.0 > 0 {
            format!(" from {edge} on")
        } else {
            String::new()
        };
        (price.0 <= 0 || price.0 % tick.0 != 0).then(|| format!("a multiple of {tick}{from}"))
    }
}

/// When an instrument trades, as far ahead as the gateway lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(Vec<(Timestamp, Timestamp)>);

impl Hours {
    /// The sessions, earliest first: from a time up to another.
    pub fn sessions(&self) -> &[(Timestamp, Timestamp)] {
        &self.0
    }

    /// Whether a time is in a session. What is not listed is not known to be open, so it is closed.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.0
            .iter()
            .any(|(open, close)| *open <= at && at < *close)
    }

    /// When the next session after a time begins; `None` when none is listed.
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        self.0.iter().map(|(open, _)| *open).find(|open| *open > at)
    }

    /// From what the gateway lists: `20261123:0930-20261123:1600`, or `20261122:CLOSED`, in a time zone.
    ///
    /// # Errors
    /// In words, when it is of another form.
    pub(super) fn parse(listed: &[String], zone: &str) -> Result<Self, String> {
        let mut sessions = Vec::new();
        let parts = listed.iter().flat_map(|day| day.split([';', ',']));
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            if part.ends_with(":CLOSED") {
                continue;
            }
            let (open, close) = part
                .split_once('-')
                .ok_or_else(|| format!("hours {part:?}"))?;
            let session = (moment(open, zone)?, moment(close, zone)?);
            if session.0 < session.1 {
                sessions.push(session);
            }
        }
        sessions.sort_unstable();
        Ok(Self(sessions))
    }
}

/// A time as in `20261123:0930`; `2400` is the end of the day.
fn moment(text: &str, zone: &str) -> Result<Timestamp, String> {
    let bad = || format!("a time {text:?} in {zone:?}");
    let (date, clock) = text.split_once(':').ok_or_else(bad)?;
    let midnight = jiff::civil::Date::strptime("%Y%m%d", date)
        .map_err(|_| bad())?
        .at(0, 0, 0, 0);
    let (hours, minutes) = clock.split_at_checked(2).ok_or_else(bad)?;
    let [hours, minutes] = [hours, minutes].map(|digits| digits.parse::<i64>().ok());
    let (hours, minutes) = (
        hours.filter(|h| (0..=24).contains(h)).ok_or_else(bad)?,
        minutes.filter(|m| (0..60).contains(m)).ok_or_else(bad)?,
    );
    let span = jiff::Span::new().hours(hours).minutes(minutes);
    let civil = midnight.checked_add(span).map_err(|_| bad())?;
    let zoned = civil.in_tz(zone_name(zone)).map_err(|_| bad())?;
    let ns = zoned.timestamp().as_nanosecond();
    i64::try_from(ns).map(Timestamp).map_err(|_| bad())
}

/// The name of a zone in the time zone database. The gateway also writes abbreviations, some with words behind them:
/// `EST (Eastern Standard Time)` means New York all the year round, while the database's `EST` has no summer time.
fn zone_name(zone: &str) -> &str {
    match zone.split_whitespace().next().unwrap_or_default() {
        "EST" | "EDT" => "America/New_York",
        "CST" | "CDT" => "America/Chicago",
        "PST" | "PDT" => "America/Los_Angeles",
        "JST" => "Asia/Tokyo",
        "GMT" | "BST" => "Europe/London",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        moment(text, "UTC").unwrap()
    }

    #[test]
    fn hours_are_read_in_their_zone_and_across_a_change_of_clocks() {
        let listed = |days: &[&str]| days.iter().map(ToString::to_string).collect::<Vec<_>>();
        // Clocks in New York go back on 2026-11-01.
        let days = listed(&[
            "20261030:0930-20261030:1600",
            "20261031:CLOSED",
            "20261101:CLOSED",
            "20261102:0930-20261102:1600",
        ]);
        for zone in [
            "US/Eastern",
            "EST (Eastern Standard Time)",
            "America/New_York",
        ] {
            let hours = Hours::parse(&days, zone).unwrap();
            let sessions = [
                (at("20261030:1330"), at("20261030:2000")),
                (at("20261102:1430"), at("20261102:2100")),
            ];
            assert_eq!(hours.sessions(), sessions, "{zone}");
            assert!(hours.is_open(at("20261030:1330")) && !hours.is_open(at("20261030:2000")));
            assert!(!hours.is_open(at("20261031:1500")));
            assert_eq!(
                hours.next_open(at("20261030:1330")),
                Some(at("20261102:1430"))
            );
            assert_eq!(hours.next_open(at("20261102:1430")), None);
        }
        let night = listed(&["20261122:1800-20261123:1700", "20261123:1800-20261123:2400"]);
        let hours = Hours::parse(&night, "UTC").unwrap();
        assert!(hours.is_open(at("20261123:0300")) && !hours.is_open(at("20261123:1730")));
        assert_eq!(hours.sessions()[1].1, at("20261124:0000"));
        for (days, zone) in [
            ("20261123:0930", "UTC"),
            ("20261123:0930-1600", "UTC"),
            ("20261123:0930-20261123:1660", "UTC"),
            ("20261345:0930-20261345:1600", "UTC"),
            ("20261123:0930-20261123:1600", "Atlantis"),
        ] {
            assert!(
                Hours::parse(&listed(&[days]), zone).is_err(),
                "{days} {zone}"
            );
        }
        let none = Hours::parse(&[], "").unwrap();
        assert!(!none.is_open(at("20261123:1500")));
    }

    #[test]
    fn a_tick_is_that_of_the_band_of_the_price() {
        let price = |text: &str| nanobook::trading::decimal::price(text).unwrap();
        let ticks = Ticks::new(vec![
            (price("1"), price("0.01")),
            (price("10"), price("0.05")),
            (price("0"), price("0.0001")),
        ]);
        assert_eq!(ticks.smallest(), Some(price("0.0001")));
        for (asked, tick, buys, sells) in [
            ("0.99995", "0.0001", "0.9999", "1"),
            ("1", "0.01", "1", "1"),
            ("9.999", "0.01", "9.99", "10"),
            ("10.01", "0.05", "10", "10.05"),
        ] {
            let asked = price(asked);
            assert_eq!(ticks.at(asked), Some(price(tick)));
            assert_eq!(ticks.snap(asked, Side::Buy), Some(price(buys)));
            assert_eq!(ticks.snap(asked, Side::Sell), Some(price(sells)));
        }
        assert_eq!(ticks.fault(price("9.99")), None);
        assert_eq!(
            ticks.fault(price("10.01")).unwrap(),
            "a multiple of 0.05 from 10 on"
        );
        assert_eq!(
            ticks.fault(price("0.00005")).unwrap(),
            "a multiple of 0.0001"
        );
        assert_eq!(Ticks::default().fault(price("3.3333")), None);
    }
}
