//! The venue's rules of an instrument, and what of an order they refuse.

use nanobook::trading::decimal::{self, DecimalError, ONE};
use nanobook::trading::{Instrument, InstrumentState, NewOrder, Units};
use nanobook::{Money, Price, Side, Symbol};
use serde::Deserialize;

use crate::outcome::Denial;

/// An instrument as `exchangeInfo` lists it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    pub(super) symbol: String,
    status: String,
    base_asset: String,
    quote_asset: String,
    filters: Vec<Filter>,
}

/// A filter; those that this version does not know are left to the venue.
#[derive(Debug, Deserialize)]
#[serde(tag = "filterType", rename_all_fields = "camelCase")]
enum Filter {
    #[serde(rename = "PRICE_FILTER")]
    Price {
        min_price: String,
        max_price: String,
        tick_size: String,
    },
    #[serde(rename = "LOT_SIZE")]
    Lot {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    #[serde(rename = "MARKET_LOT_SIZE")]
    MarketLot {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    #[serde(rename = "NOTIONAL")]
    Notional {
        min_notional: String,
        max_notional: String,
        apply_min_to_market: bool,
        apply_max_to_market: bool,
    },
    #[serde(rename = "MIN_NOTIONAL")]
    MinNotional {
        min_notional: String,
        apply_to_market: bool,
    },
    #[serde(rename = "PERCENT_PRICE")]
    Percent {
        multiplier_up: String,
        multiplier_down: String,
    },
    #[serde(rename = "PERCENT_PRICE_BY_SIDE")]
    PercentBySide {
        bid_multiplier_up: String,
        bid_multiplier_down: String,
        ask_multiplier_up: String,
        ask_multiplier_down: String,
    },
    #[serde(rename = "MAX_NUM_ORDERS")]
    MaxNumOrders { max_num_orders: u32 },
    #[serde(rename = "MAX_POSITION")]
    MaxPosition { max_position: String },
    #[serde(other)]
    Other,
}

/// Bounds and a step, in units of 1e-9; zero is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// The least.
    pub min: i128,
    /// The most.
    pub max: i128,
    /// Values are multiples of it.
    pub step: i128,
}

/// What a price may be as a part of the mean price, in units of 1e-9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The most.
    pub up: i128,
    /// The least.
    pub down: i128,
}

/// The rules of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The part of them that all venues have.
    pub instrument: Instrument,
    /// `PRICE_FILTER`.
    pub price: Steps,
    /// `LOT_SIZE`.
    pub lot: Steps,
    /// `MARKET_LOT_SIZE`, for market orders besides `LOT_SIZE`.
    pub market_lot: Steps,
    /// Whether the least value holds for market orders.
    pub min_for_market: bool,
    /// Whether the largest value holds for market orders.
    pub max_for_market: bool,
    /// `PERCENT_PRICE` or `PERCENT_PRICE_BY_SIDE`, of buys and of sells.
    pub band: Option<[Band; 2]>,
    /// `MAX_NUM_ORDERS`.
    pub max_orders: Option<u32>,
    /// `MAX_POSITION` of the asset, what is on order included.
    pub max_position: Option<Units>,
}

/// What is known besides the order; a filter that needs what is `None` is left to the venue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The mean price of the last minutes.
    pub mean: Option<Price>,
    /// Open orders of the instrument.
    pub open_orders: Option<u32>,
    /// What is held of the asset and on order.
    pub position: Option<Units>,
}

impl Listing {
    /// The rules; the error says which text is no number.
    #[expect(clippy::too_many_lines, reason = "one arm for each filter")]
    pub(super) fn rules(&self) -> Result<Rules, String> {
        let symbol = |text: &str| -> Result<Symbol, String> {
            text.parse().map_err(|e| format!("{text:?}: {e}"))
        };
        let number = |text: &str| {
            decimal::parse(text).or_else(|e| match e {
                // A bound beyond all numbers is none.
                DecimalError::TooLarge => Ok(0),
                _ => Err(format!("{}: {text:?}: {e}", self.symbol)),
            })
        };
        let steps = |min: &str, max: &str, step: &str| -> Result<Steps, String> {
            Ok(Steps {
                min: number(min)?,
                max: number(max)?,
                step: number(step)?,
            })
        };
        let mut rules = Rules {
            instrument: Instrument {
                symbol: symbol(&self.symbol)?,
                currency: symbol(&self.quote_asset)?,
                base: Some(symbol(&self.base_asset)?),
                tick: Price(1),
                lot: Units(1),
                min_qty: None,
                max_qty: None,
                min_price: None,
                max_price: None,
                min_notional: None,
                max_notional: None,
                state: match self.status.as_str() {
                    "TRADING" => InstrumentState::Trading,
                    "CANCEL_ONLY" => InstrumentState::CancelOnly,
                    "HALT" => InstrumentState::Halted,
                    _ => InstrumentState::Closed,
                },
            },
            price: Steps::default(),
            lot: Steps::default(),
            market_lot: Steps::default(),
            min_for_market: false,
            max_for_market: false,
            band: None,
            max_orders: None,
            max_position: None,
        };
        for filter in &self.filters {
            match filter {
                Filter::Price {
                    min_price,
                    max_price,
                    tick_size,
                } => rules.price = steps(min_price, max_price, tick_size)?,
                Filter::Lot {
                    min_qty,
                    max_qty,
                    step_size,
                } => rules.lot = steps(min_qty, max_qty, step_size)?,
                Filter::MarketLot {
                    min_qty,
                    max_qty,
                    step_size,
                } => rules.market_lot = steps(min_qty, max_qty, step_size)?,
                Filter::Notional {
                    min_notional,
                    max_notional,
                    apply_min_to_market,
                    apply_max_to_market,
                } => {
                    rules.instrument.min_notional = some(number(min_notional)?).map(Money);
                    rules.instrument.max_notional = some(number(max_notional)?).map(Money);
                    rules.min_for_market = *apply_min_to_market;
                    rules.max_for_market = *apply_max_to_market;
                }
                Filter::MinNotional {
                    min_notional,
                    apply_to_market,
                } => {
                    rules.instrument.min_notional = some(number(min_notional)?).map(Money);
                    rules.min_for_market = *apply_to_market;
                }
                Filter::Percent {
                    multiplier_up,
                    multiplier_down,
                } => {
                    let band = Band {
                        up: number(multiplier_up)?,
                        down: number(multiplier_down)?,
                    };
                    rules.band = Some([band; 2]);
                }
                Filter::PercentBySide {
                    bid_multiplier_up,
                    bid_multiplier_down,
                    ask_multiplier_up,
                    ask_multiplier_down,
                } => {
                    rules.band = Some([
                        Band {
                            up: number(bid_multiplier_up)?,
                            down: number(bid_multiplier_down)?,
                        },
                        Band {
                            up: number(ask_multiplier_up)?,
                            down: number(ask_multiplier_down)?,
                        },
                    ]);
                }
                Filter::MaxNumOrders { max_num_orders } => rules.max_orders = Some(*max_num_orders),
                Filter::MaxPosition { max_position } => {
                    rules.max_position = some(number(max_position)?).map(Units);
                }
                Filter::Other => {}
            }
        }
        let price = |units: i128| i64::try_from(units).ok().filter(|u| *u > 0).map(Price);
        let instrument = &mut rules.instrument;
        instrument.tick = price(rules.price.step).unwrap_or(Price(1));
        instrument.min_price = price(rules.price.min);
        instrument.max_price = price(rules.price.max);
        instrument.lot = some(rules.lot.step).map_or(Units(1), Units);
        instrument.min_qty = some(rules.lot.min).map(Units);
        instrument.max_qty = some(rules.lot.max).map(Units);
        Ok(rules)
    }
}

fn some(units: i128) -> Option<i128> {
    (units > 0).then_some(units)
}

impl Steps {
    /// What is wrong with a value.
    fn fault(self, value: i128) -> Option<String> {
        let plain = decimal::Plain;
        if value < self.min {
            Some(format!("at least {}", plain(self.min)))
        } else if self.max > 0 && value > self.max {
            Some(format!("at most {}", plain(self.max)))
        } else if self.step > 0 && (value - self.min) % self.step != 0 {
            Some(format!(
                "{} and steps of {}",
                plain(self.min),
                plain(self.step)
            ))
        } else {
            None
        }
    }
}

/// What the venue's filters refuse of an order, as far as can be known before it is sent.
///
/// # Errors
/// The first filter that refuses it, by the venue's name.
pub fn check(order: &NewOrder, rules: &Rules, context: &Context) -> Result<(), Denial> {
    let deny = |filter: &'static str, expected: String, found: String| {
        Err(Denial::Filter {
            filter,
            expected,
            found,
        })
    };
    let price = order.kind.price();
    if let Some(price) = price
        && let Some(expected) = rules.price.fault(price.0.into())
    {
        return deny("PRICE_FILTER", expected, price.to_string());
    }
    if let Some(expected) = rules.lot.fault(order.qty.0) {
        return deny("LOT_SIZE", expected, order.qty.to_string());
    }
    if price.is_none()
        && let Some(expected) = rules.market_lot.fault(order.qty.0)
    {
        return deny("MARKET_LOT_SIZE", expected, order.qty.to_string());
    }
    let valued = price.or(context.mean);
    let (min_holds, max_holds) = match price {
        Some(_) => (true, true),
        None => (rules.min_for_market, rules.max_for_market),
    };
    if let Some(value) = valued.and_then(|price| order.qty.exact_notional(price)) {
        let bound = |money: Option<Money>| money.and_then(|m| m.0.checked_mul(ONE));
        let least = bound(rules.instrument.min_notional).filter(|_| min_holds);
        let most = bound(rules.instrument.max_notional).filter(|_| max_holds);
        let plain = |units: i128| decimal::Plain(units / ONE).to_string();
        if least.is_some_and(|least| value < least) {
            let expected = format!("at least {}", plain(least.unwrap_or(0)));
            return deny("NOTIONAL", expected, plain(value));
        }
        if most.is_some_and(|most| value > most) {
            let expected = format!("at most {}", plain(most.unwrap_or(0)));
            return deny("NOTIONAL", expected, plain(value));
        }
    }
    if let (Some(price), Some(mean), Some(band)) = (price, context.mean, rules.band) {
        let band = match order.side {
            Side::Buy => band[0],
            Side::Sell => band[1],
        };
        // Both in units of 1e-18.
        let part = i128::from(price.0) * ONE;
        let bound = |multiple: i128| multiple * i128::from(mean.0);
        if part > bound(band.up) || part < bound(band.down) {
            let plain = |multiple: i128| decimal::Plain(bound(multiple) / ONE).to_string();
            let expected = format!("{} to {}", plain(band.down), plain(band.up));
            return deny("PERCENT_PRICE", expected, price.to_string());
        }
    }
    if let (Some(most), Some(open)) = (rules.max_orders, context.open_orders)
        && open >= most
    {
        return deny(
            "MAX_NUM_ORDERS",
            format!("fewer than {most} open"),
            open.to_string(),
        );
    }
    if let (Some(most), Some(position), Side::Buy) =
        (rules.max_position, context.position, order.side)
    {
        let after = position.checked_add(order.qty);
        if after.is_none_or(|after| after > most) {
            return deny(
                "MAX_POSITION",
                format!("at most {most}"),
                position.to_string(),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobook::OrderKind;
    use nanobook::trading::TimeInForce;

    const LISTING: &str = r#"{
        "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "100.00000000", "stepSize": "0.00000000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": true, "maxNotional": "9000000.00000000", "applyMaxToMarket": false, "avgPriceMins": 5},
            {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2", "askMultiplierUp": "5", "askMultiplierDown": "0.2", "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 2},
            {"filterType": "MAX_POSITION", "maxPosition": "10.00000000"},
            {"filterType": "SOMETHING_NEW", "x": 1}
        ]
    }"#;

    fn order(qty: &str, price: Option<&str>) -> NewOrder {
        NewOrder {
            client_order_id: "x".parse().unwrap(),
            symbol: "BTCUSDT".parse().unwrap(),
            side: Side::Buy,
            qty: qty.parse().unwrap(),
            kind: match price {
                Some(price) => OrderKind::Limit {
                    price: decimal::price(price).unwrap(),
                },
                None => OrderKind::Market,
            },
            tif: TimeInForce::Gtc,
        }
    }

    #[test]
    fn each_filter_passes_just_inside_and_refuses_just_outside() {
        let rules = serde_json::from_str::<Listing>(LISTING)
            .unwrap()
            .rules()
            .unwrap();
        let context = Context {
            mean: Some(decimal::price("100").unwrap()),
            open_orders: Some(1),
            position: Some(Units::whole(9)),
        };
        let refused = |qty: &str, price: Option<&str>, context: Context| match check(
            &order(qty, price),
            &rules,
            &context,
        ) {
            Ok(()) => "",
            Err(Denial::Filter { filter, .. }) => filter,
            Err(other) => panic!("{other}"),
        };
        for (qty, price, filter) in [
            ("1", Some("100.01"), ""),
            ("1", Some("100.001"), "PRICE_FILTER"),
            ("1000", Some("0.01"), "MAX_POSITION"),
            ("0.1", Some("0"), "PRICE_FILTER"),
            ("0.00001", Some("1000000.01"), "PRICE_FILTER"),
            ("0.000015", Some("100"), "LOT_SIZE"),
            ("0.000009", Some("100"), "LOT_SIZE"),
            ("9000.00001", Some("100"), "LOT_SIZE"),
            ("100.00001", None, "MARKET_LOT_SIZE"),
            ("0.05", Some("100"), ""),
            ("0.04999", Some("100"), "NOTIONAL"),
            ("0.05", None, ""),
            ("0.04999", None, "NOTIONAL"),
            ("1", Some("500"), ""),
            ("1", Some("500.01"), "PERCENT_PRICE"),
            ("1", Some("20"), ""),
            ("1", Some("19.99"), "PERCENT_PRICE"),
            ("1.00001", Some("100"), "MAX_POSITION"),
        ] {
            let wide = Context {
                mean: if filter == "MAX_POSITION" {
                    None
                } else {
                    context.mean
                },
                ..context
            };
            assert_eq!(refused(qty, price, wide), filter, "{qty} at {price:?}");
        }
        let full = Context {
            open_orders: Some(2),
            ..context
        };
        assert_eq!(refused("1", Some("100"), full), "MAX_NUM_ORDERS");
        // What is not known is left to the venue.
        assert_eq!(refused("1", Some("999"), Context::default()), "");
    }
}
