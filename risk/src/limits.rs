//! Limits, and whether a breach stops the orders: TOML in which an unknown key is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use nanobook::Symbol;
use nanobook::trading::decimal;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::error::Error;

/// What a breach does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It stops the orders.
    #[default]
    Hard,
    /// It warns.
    Soft,
    /// The check does not run.
    Off,
}

/// A limit: a number that is not below zero, in units of 1e-9.
///
/// In TOML a number or a text; 0.1 is a tenth, not the double next to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(pub i128);

/// A limit with its severity. In TOML a bare value, which is hard, or `{ limit = 0.1, severity = "soft" }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The limit.
    pub limit: Decimal,
    /// What a breach does.
    pub severity: Severity,
}

/// Whether a position may be below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shorting {
    /// Never.
    #[default]
    Refuse,
    /// As far as shares were located.
    Locate,
    /// Yes.
    Allow,
}

/// Instruments that are bounded together: a sector, an issuer, a currency.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its instruments.
    #[serde(deserialize_with = "symbols")]
    pub symbols: BTreeSet<Symbol>,
    /// The largest value of their positions over equity.
    pub limit: Decimal,
    /// What a breach does.
    #[serde(default)]
    pub severity: Severity,
}

/// All limits. A number that is `None` is a check that does not run; what needs no number runs unless it is off.
///
/// # Examples
/// ```
/// use nanobook_risk::{Limits, Severity};
///
/// let limits = Limits::from_toml(r#"
///     max_leverage = 1.5
///     max_weight = { limit = 0.1, severity = "soft" }
///     restricted = ["GME"]
///     [groups.tech]
///     symbols = ["AAPL", "MSFT"]
///     limit = 0.4
/// "#)?;
/// assert_eq!(limits.max_weight.unwrap().severity, Severity::Soft);
/// assert!(Limits::from_toml("max_levrage = 1.5").is_err());
/// # Ok::<(), nanobook_risk::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Distance of a price from the middle of the quote, in bps. 500 unless given.
    pub price_collar_bps: Option<Rule>,
    /// How far a buy may be above the ask, or a sell below the bid, in bps. 100 unless given.
    pub limit_through_bps: Option<Rule>,
    /// Prices are multiples of the venue's tick.
    pub tick_size: Severity,
    /// Quantities are multiples of the venue's lot and within its bounds.
    pub lot_size: Severity,
    /// The venue's smallest price times quantity.
    pub min_notional: Severity,
    /// Largest quantity of an order.
    pub max_order_qty: Option<Rule>,
    /// Largest price times quantity of an order, in the account's currency.
    pub max_order_notional: Option<Rule>,
    /// Largest price times quantity of all orders of a call.
    pub max_batch_notional: Option<Rule>,
    /// Most orders of a call.
    pub max_orders_per_run: Option<Rule>,
    /// Largest price times quantity of all orders over equity.
    pub max_turnover: Option<Rule>,
    /// The same with what was traded before on this day.
    pub max_day_turnover: Option<Rule>,
    /// Largest quantity of a position.
    pub max_position_qty: Option<Rule>,
    /// Largest value of a position.
    pub max_position_notional: Option<Rule>,
    /// Largest value of a position over equity.
    pub max_weight: Option<Rule>,
    /// Largest value of all positions, long and short.
    pub max_gross_exposure: Option<Rule>,
    /// The same over equity. 1 unless given.
    pub max_leverage: Option<Rule>,
    /// Largest long less short over equity, in either direction.
    pub max_net_exposure: Option<Rule>,
    /// Largest value of all short positions over equity.
    pub max_short_exposure: Option<Rule>,
    /// Whether a position may be below zero.
    pub short: Shorting,
    /// Orders cost no more than the broker lets the account spend.
    pub buying_power: Severity,
    /// Cash does not go below zero when all buys fill at their worst price.
    pub cash: Severity,
    /// Smallest cash over equity after that.
    pub min_cash_buffer: Option<Rule>,
    /// Fee of an order in bps of its value, for cash.
    pub fee_bps: Decimal,
    /// Least fee of an order, for cash.
    pub min_fee: Decimal,
    /// Largest quantity over average daily volume.
    pub max_adv_participation: Option<Rule>,
    /// Widest spread, in bps of the middle of the quote.
    pub max_spread_bps: Option<Rule>,
    /// Oldest quote, in seconds. 60 unless given.
    pub max_quote_age_s: Option<Rule>,
    /// Quotes are live.
    pub live_quotes: Severity,
    /// Quotes have both sides, and the bid is not above the ask.
    pub quote_sanity: Severity,
    /// Oldest targets, in seconds.
    pub max_target_age_s: Option<Rule>,
    /// Largest sum of absolute weights; a millionth more is forgiven to sums of doubles.
    pub max_weight_sum: Option<Rule>,
    /// Weights of the targets are numbers, and symbols are named once. Off unless given.
    pub targets: Severity,
    /// Instruments not to be traded.
    #[serde(deserialize_with = "symbols")]
    pub restricted: BTreeSet<Symbol>,
    /// The only instruments that may be traded; `None` for all.
    #[serde(deserialize_with = "some_symbols")]
    pub allowed: Option<BTreeSet<Symbol>>,
    /// The venue knows the instrument, and it trades.
    pub instrument: Severity,
    /// No two orders with one id, or on one side of one instrument.
    pub duplicate_order: Severity,
    /// No order that would trade with one of ours.
    pub self_cross: Severity,
    /// Most orders in the window, these included.
    pub max_order_rate: Option<Rule>,
    /// Most messages in the window, these orders included.
    pub max_message_rate: Option<Rule>,
    /// Most runs in the window, this one included.
    pub max_runs: Option<Rule>,
    /// The market is open.
    pub market_open: Severity,
    /// Largest part of the day's first equity that may be lost.
    pub max_daily_loss: Option<Rule>,
    /// Largest part of the highest equity that may be lost.
    pub max_drawdown: Option<Rule>,
    /// The account is the one that was meant.
    pub account_mode: Severity,
    /// Every open order and position is explained.
    pub reconciled: Severity,
    /// The orders are those that were approved. Off unless given.
    pub plan_equality: Severity,
    /// Groups of instruments, by name.
    pub groups: BTreeMap<String, Group>,
}

impl Default for Limits {
    fn default() -> Self {
        let hard = |limit: i128| Some(Rule::hard(Decimal(limit * decimal::ONE)));
        Self {
            price_collar_bps: hard(500),
            limit_through_bps: hard(100),
            tick_size: Severity::Hard,
            lot_size: Severity::Hard,
            min_notional: Severity::Hard,
            max_order_qty: None,
            max_order_notional: None,
            max_batch_notional: None,
            max_orders_per_run: None,
            max_turnover: None,
            max_day_turnover: None,
            max_position_qty: None,
            max_position_notional: None,
            max_weight: None,
            max_gross_exposure: None,
            max_leverage: hard(1),
            max_net_exposure: None,
            max_short_exposure: None,
            short: Shorting::Refuse,
            buying_power: Severity::Hard,
            cash: Severity::Hard,
            min_cash_buffer: None,
            fee_bps: Decimal(0),
            min_fee: Decimal(0),
            max_adv_participation: None,
            max_spread_bps: None,
            max_quote_age_s: hard(60),
            live_quotes: Severity::Hard,
            quote_sanity: Severity::Hard,
            max_target_age_s: None,
            max_weight_sum: None,
            targets: Severity::Off,
            restricted: BTreeSet::new(),
            allowed: None,
            instrument: Severity::Hard,
            duplicate_order: Severity::Hard,
            self_cross: Severity::Hard,
            max_order_rate: None,
            max_message_rate: None,
            max_runs: None,
            market_open: Severity::Hard,
            max_daily_loss: None,
            max_drawdown: None,
            account_mode: Severity::Hard,
            reconciled: Severity::Hard,
            plan_equality: Severity::Off,
            groups: BTreeMap::new(),
        }
    }
}

impl Limits {
    /// From TOML; what it does not name is as in [`Limits::default`].
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or a value that is not a limit.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Ok(toml::from_str(text)?)
    }

    /// From a TOML file.
    ///
    /// # Errors
    /// As [`Limits::from_toml`], and when the file can't be read.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(&text)
    }
}

impl Rule {
    /// A limit whose breach stops the orders.
    pub const fn hard(limit: Decimal) -> Self {
        Self {
            limit,
            severity: Severity::Hard,
        }
    }
}

/// Reads a number or a text as an exact decimal.
struct AnyNumber;

impl Visitor<'_> for AnyNumber {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number that is not below zero, with at most nine decimals")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Decimal, E> {
        not_negative(i128::from(value) * decimal::ONE)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Decimal, E> {
        not_negative(i128::from(value) * decimal::ONE)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Decimal, E> {
        not_negative(decimal::from_f64(value).map_err(E::custom)?)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Decimal, E> {
        not_negative(decimal::parse(value).map_err(E::custom)?)
    }
}

fn not_negative<E: de::Error>(units: i128) -> Result<Decimal, E> {
    if units < 0 {
        return Err(E::custom("a limit can't be below zero"));
    }
    Ok(Decimal(units))
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes a bare limit or a table.
        struct BareOrTable;
        impl<'de> Visitor<'de> for BareOrTable {
            type Value = Rule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a table of limit and severity")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Rule, E> {
                AnyNumber.visit_i64(value).map(Rule::hard)
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Rule, E> {
                AnyNumber.visit_f64(value).map(Rule::hard)
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Rule, E> {
                AnyNumber.visit_str(value).map(Rule::hard)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rule, A::Error> {
                let (mut limit, mut severity) = (None, Severity::Hard);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "limit" => limit = Some(map.next_value()?),
                        "severity" => severity = map.next_value()?,
                        _ => return Err(de::Error::unknown_field(&key, &["limit", "severity"])),
                    }
                }
                let limit = limit.ok_or_else(|| de::Error::missing_field("limit"))?;
                Ok(Rule { limit, severity })
            }
        }
        deserializer.deserialize_any(BareOrTable)
    }
}

fn symbols<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Symbol>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let symbol = |text: String| {
        text.parse()
            .map_err(|e| de::Error::custom(format_args!("{text:?}: {e}")))
    };
    texts.into_iter().map(symbol).collect()
}

fn some_symbols<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeSet<Symbol>>, D::Error> {
    symbols(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_at_every_depth() {
        for text in [
            "max_wieght = 0.1",
            "max_weight = { limit = 0.1, severty = \"soft\" }",
            "[groups.tech]\nsymbols = []\nlimit = 1\nlimits = 2",
        ] {
            let error = Limits::from_toml(text).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn a_limit_is_what_was_written_and_never_below_zero() {
        let limit = |text: &str| Limits::from_toml(text).map(|l| l.max_weight.map(|r| r.limit.0));
        assert_eq!(limit("max_weight = 0.1").unwrap(), Some(100_000_000));
        assert_eq!(limit("max_weight = \"0.1\"").unwrap(), Some(100_000_000));
        assert_eq!(limit("max_weight = 2").unwrap(), Some(2_000_000_000));
        for bad in [
            "-0.1",
            "nan",
            "inf",
            "true",
            "\"a\"",
            "[1]",
            "{ severity = \"soft\" }",
        ] {
            assert!(limit(&format!("max_weight = {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn symbols_that_are_none_are_named() {
        let error = Limits::from_toml("restricted = [\"A B C D E F G H I\"]").unwrap_err();
        assert!(error.to_string().contains("A B C D"), "{error}");
    }
}
