//! The venue's rules of an instrument, and what of an order they refuse.

use nanobook::trading::decimal::{self, ONE};
use nanobook::trading::{Instrument, NewOrder, Units};
use nanobook::{Money, OrderKind, Price, Side};

use crate::outcome::Denial;

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

/// The rules of an instrument and of the account that trades it.
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
    /// The minutes over which the price that values a market order is a mean; 0 is the last price.
    pub notional_mins: u32,
    /// `PERCENT_PRICE` or `PERCENT_PRICE_BY_SIDE`, of buys and of sells.
    pub band: Option<[Band; 2]>,
    /// The minutes of the band's mean price; 0 is the last price.
    pub band_mins: u32,
    /// `MAX_NUM_ORDERS`.
    pub max_orders: Option<u32>,
    /// `MAX_NUM_ALGO_ORDERS`: stops among them.
    pub max_algo_orders: Option<u32>,
    /// `MAX_POSITION` of the asset, what is on order included.
    pub max_position: Option<Units>,
    /// `EXCHANGE_MAX_NUM_ORDERS`.
    pub max_account_orders: Option<u32>,
    /// `EXCHANGE_MAX_NUM_ALGO_ORDERS`.
    pub max_account_algo_orders: Option<u32>,
    /// `MAX_ASSET` of what is bought or sold, in one order.
    pub max_base: Option<Units>,
    /// `MAX_ASSET` of what pays, in one order.
    pub max_quote: Option<Money>,
}

/// Orders that are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub all: u32,
    /// Stops among them.
    pub algo: u32,
}

/// What is known besides the order; a filter that needs what is `None` is left to the venue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The mean price over the minutes that [`Needs`] names.
    pub mean: Option<Price>,
    /// Open orders of the instrument.
    pub open: Option<Count>,
    /// Open orders of the account.
    pub account: Option<Count>,
    /// What is held of the asset and on order.
    pub position: Option<Units>,
}

/// Which open orders a check needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// None.
    #[default]
    Nothing,
    /// Those of the instrument.
    Instrument,
    /// Those of the account.
    Account,
}

/// What must be known of the market and the account before an order can be checked in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The mean price over so many minutes.
    pub mean_mins: Option<u32>,
    /// Open orders.
    pub orders: Scope,
    /// What is held of the asset.
    pub position: bool,
}

impl Rules {
    pub(super) fn new(instrument: Instrument) -> Self {
        Self {
            instrument,
            price: Steps::default(),
            lot: Steps::default(),
            market_lot: Steps::default(),
            min_for_market: false,
            max_for_market: false,
            notional_mins: 0,
            band: None,
            band_mins: 0,
            max_orders: None,
            max_algo_orders: None,
            max_position: None,
            max_account_orders: None,
            max_account_algo_orders: None,
            max_base: None,
            max_quote: None,
        }
    }

    /// What must be known besides an order to check it in full: no more than its filters ask for, because each question
    /// has a weight.
    pub fn needs(&self, order: &NewOrder) -> Needs {
        let bounds = &self.instrument;
        let valued = (self.min_for_market && bounds.min_notional.is_some())
            || (self.max_for_market && bounds.max_notional.is_some())
            || self.max_quote.is_some();
        let mean_mins = match order.kind.price() {
            Some(_) => self.band.map(|_| self.band_mins),
            None => valued.then_some(self.notional_mins),
        };
        let position = self.max_position.is_some() && order.side == Side::Buy;
        let algo = is_algo(order);
        let counts =
            |all: Option<u32>, stops: Option<u32>| all.or(stops.filter(|_| algo)).is_some();
        let orders = if position || counts(self.max_account_orders, self.max_account_algo_orders) {
            Scope::Account
        } else if counts(self.max_orders, self.max_algo_orders) {
            Scope::Instrument
        } else {
            Scope::Nothing
        };
        Needs {
            mean_mins,
            orders,
            position,
        }
    }
}

/// Whether the venue counts an order among its "algo" orders.
const fn is_algo(order: &NewOrder) -> bool {
    !matches!(order.kind, OrderKind::Limit { .. } | OrderKind::Market)
}

impl Steps {
    /// What is wrong with a value.
    fn fault(self, value: i128) -> Option<String> {
        let plain = decimal::Plain;
        if value < self.min {
            Some(format!("at least {}", plain(self.min)))
        } else if self.max > 0 && value > self.max {
            Some(format!("at most {}", plain(self.max)))
        } else if self.step > 0 && value % self.step != 0 {
            Some(format!("a multiple of {}", plain(self.step)))
        } else {
            None
        }
    }
}

/// What the venue's filters refuse of an order, as far as can be known before it is sent.
///
/// # Errors
/// The first filter that refuses it, by the venue's name.
#[expect(clippy::too_many_lines, reason = "one step for each filter")]
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
    let most = rules.max_base.filter(|most| order.qty > *most);
    if let Some(most) = most {
        return deny(
            "MAX_ASSET",
            format!("at most {most}"),
            order.qty.to_string(),
        );
    }
    let value = valued.and_then(|price| order.qty.exact_notional(price));
    if let (Some(most), Some(value)) = (rules.max_quote, value)
        && most.0.checked_mul(ONE).is_some_and(|most| value > most)
    {
        let plain = |units: i128| decimal::Plain(units).to_string();
        return deny(
            "MAX_ASSET",
            format!("a value of at most {}", plain(most.0)),
            plain(value / ONE),
        );
    }
    let algo = is_algo(order);
    let all = |count: Option<Count>| count.map(|count| count.all);
    let stops = |count: Option<Count>| count.map(|count| count.algo).filter(|_| algo);
    for (filter, most, open) in [
        ("MAX_NUM_ORDERS", rules.max_orders, all(context.open)),
        (
            "MAX_NUM_ALGO_ORDERS",
            rules.max_algo_orders,
            stops(context.open),
        ),
        (
            "EXCHANGE_MAX_NUM_ORDERS",
            rules.max_account_orders,
            all(context.account),
        ),
        (
            "EXCHANGE_MAX_NUM_ALGO_ORDERS",
            rules.max_account_algo_orders,
            stops(context.account),
        ),
    ] {
        if let (Some(most), Some(open)) = (most, open)
            && open >= most
        {
            return deny(filter, format!("fewer than {most} open"), open.to_string());
        }
    }
    if let (Some(most), Some(position), Side::Buy) =
        (rules.max_position, context.position, order.side)
    {
        let after = position.checked_add(order.qty);
        if after.is_none_or(|after| after > most) {
            return deny(
                "MAX_POSITION",
                format!("at most {most}, what is on order included"),
                after.unwrap_or(position).to_string(),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::listing::{Listing, OwnFilters};
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
            .rules(&[])
            .unwrap();
        let context = Context {
            mean: Some(decimal::price("100").unwrap()),
            open: Some(Count { all: 1, algo: 0 }),
            account: None,
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
            open: Some(Count { all: 2, algo: 0 }),
            ..context
        };
        assert_eq!(refused("1", Some("100"), full), "MAX_NUM_ORDERS");
        // What is not known is left to the venue.
        assert_eq!(refused("1", Some("999"), Context::default()), "");
    }

    #[test]
    fn filters_of_the_account_hold_besides_those_of_the_instrument() {
        let listing: Listing = serde_json::from_str(LISTING).unwrap();
        let own: OwnFilters = serde_json::from_str(
            r#"{
            "exchangeFilters": [
                {"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 5},
                {"filterType": "EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 1}
            ],
            "symbolFilters": [{"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 3}],
            "assetFilters": [
                {"filterType": "MAX_ASSET", "asset": "BTC", "limit": "2.00000000"},
                {"filterType": "MAX_ASSET", "asset": "USDT", "limit": "150.00000000"},
                {"filterType": "MAX_ASSET", "asset": "ETH", "limit": "0.00000001"}
            ]
        }"#,
        )
        .unwrap();
        let mut rules = listing.rules(&[]).unwrap();
        rules.add(own.all()).unwrap();
        let context = |open: u32, account: u32| Context {
            mean: Some(decimal::price("100").unwrap()),
            open: Some(Count { all: open, algo: 0 }),
            account: Some(Count {
                all: account,
                algo: 1,
            }),
            position: Some(Units::ZERO),
        };
        for (qty, price, open, account, filter) in [
            ("1", Some("100"), 2, 4, ""),
            ("1", Some("100"), 3, 4, "MAX_NUM_ORDERS"),
            ("1", Some("100"), 2, 5, "EXCHANGE_MAX_NUM_ORDERS"),
            ("2", Some("75"), 2, 4, ""),
            ("2.00001", Some("50"), 2, 4, "MAX_ASSET"),
            ("1", Some("150"), 2, 4, ""),
            ("1", Some("150.01"), 2, 4, "MAX_ASSET"),
            ("1.5", None, 2, 4, ""),
            ("1.50001", None, 2, 4, "MAX_ASSET"),
        ] {
            let found = match check(&order(qty, price), &rules, &context(open, account)) {
                Ok(()) => "",
                Err(Denial::Filter { filter, .. }) => filter,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(
                found, filter,
                "{qty} at {price:?}, {open} of {account} open"
            );
        }
        let stop = NewOrder {
            kind: OrderKind::StopMarket {
                stop: decimal::price("100").unwrap(),
            },
            ..order("1", None)
        };
        assert!(matches!(
            check(&stop, &rules, &context(0, 1)),
            Err(Denial::Filter {
                filter: "EXCHANGE_MAX_NUM_ALGO_ORDERS",
                ..
            })
        ));
    }

    #[test]
    fn no_more_is_asked_for_than_the_filters_need() {
        let listing: Listing = serde_json::from_str(LISTING).unwrap();
        let mut rules = listing.rules(&[]).unwrap();
        let needs = rules.needs(&order("1", Some("100")));
        let all = Needs {
            mean_mins: Some(5),
            orders: Scope::Account,
            position: true,
        };
        assert_eq!(needs, all);
        let sells = NewOrder {
            side: Side::Sell,
            ..order("1", Some("100"))
        };
        assert_eq!(rules.needs(&sells).orders, Scope::Instrument);
        rules.max_orders = None;
        rules.band = None;
        assert_eq!(rules.needs(&sells), Needs::default());
        // A market order has no price to be compared, and none to be valued by.
        assert_eq!(rules.needs(&order("1", None)).mean_mins, Some(5));
        rules.min_for_market = false;
        assert_eq!(rules.needs(&order("1", None)).mean_mins, None);
    }
}
