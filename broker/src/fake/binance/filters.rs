//! Filters that can be set, and the prices that they compare with.

use std::collections::BTreeMap;

use nanobook::trading::decimal::{self, ONE};
use serde_json::{Value, json};

use super::venue::{New, Venue, assets, listing, text};

/// What was set of filters and prices.
#[derive(Debug, Default)]
pub(super) struct Filters {
    /// By instrument; the exchange's have no name.
    set: BTreeMap<String, Vec<Value>>,
    /// The reference price, where there is one.
    pub(super) references: BTreeMap<String, i128>,
    /// The mean of five minutes, where it is not the middle of the quote.
    pub(super) means: BTreeMap<String, i128>,
    /// Of instruments that do not trade, the venue's word for it.
    pub(super) statuses: BTreeMap<String, String>,
    /// Volume and value of the last minutes, newest last.
    pub(super) bars: BTreeMap<String, Vec<[i128; 2]>>,
}

fn kind(filter: &Value) -> &str {
    filter["filterType"].as_str().unwrap_or_default()
}

fn units(filter: &Value, name: &str) -> i128 {
    let text = filter[name].as_str().unwrap_or_default();
    decimal::parse(text).unwrap_or_default()
}

fn count(filter: &Value, name: &str) -> usize {
    let count = filter[name].as_u64().unwrap_or(u64::MAX);
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl Filters {
    /// Sets a filter, in place of one of its kind.
    pub(super) fn set(&mut self, symbol: &str, filter: Value) {
        let filters = self.set.entry(symbol.to_owned()).or_default();
        filters.retain(|other| kind(other) != kind(&filter) || other["asset"] != filter["asset"]);
        filters.push(filter);
    }

    pub(super) fn of(&self, symbol: &str) -> &[Value] {
        self.set.get(symbol).map_or(&[], Vec::as_slice)
    }
}

impl Venue {
    /// An instrument as it is listed, with what was set. Filters of assets are not listed.
    pub(super) fn listed(&self, symbol: &str) -> Option<Value> {
        let mut listing = listing(symbol)?;
        listing["filters"] = Value::Array(self.filters_of(symbol));
        if let Some(status) = self.filters.statuses.get(symbol) {
            listing["status"] = json!(status);
        }
        Some(listing)
    }

    fn filters_of(&self, symbol: &str) -> Vec<Value> {
        let mut filters = match listing(symbol).map(|mut listing| listing["filters"].take()) {
            Some(Value::Array(filters)) => filters,
            _ => Vec::new(),
        };
        for set in self.filters.of(symbol) {
            filters.retain(|filter| kind(filter) != kind(set));
            filters.push(set.clone());
        }
        filters
    }

    fn exchange_filters(&self, of_assets: bool) -> Vec<Value> {
        let all = self.filters.of("").iter();
        all.filter(|filter| (kind(filter) == "MAX_ASSET") == of_assets)
            .cloned()
            .collect()
    }

    /// The exchange's filters as `exchangeInfo` lists them.
    pub(super) fn listed_for_all(&self) -> Value {
        Value::Array(self.exchange_filters(false))
    }

    /// The answer to `myFilters`.
    pub(super) fn own_filters(&self, symbol: &str) -> Value {
        json!({
            "exchangeFilters": self.exchange_filters(false), "symbolFilters": self.filters_of(symbol),
            "assetFilters": self.exchange_filters(true)
        })
    }

    /// The last price: that of the quote's middle, as nobody trades here.
    pub(super) fn last(&self, symbol: &str) -> i128 {
        let quote = self.quotes.get(symbol);
        quote.map_or(0, |quote| quote.bid.0.midpoint(quote.ask.0))
    }

    /// Documented since 2026-05: the reference price if there is one, else the mean by volume of so many minutes, and of
    /// no minutes the last price.
    pub(super) fn mean(&self, symbol: &str, mins: u64) -> i128 {
        if let Some(price) = self.filters.references.get(symbol) {
            return *price;
        }
        let of_five = self.filters.means.get(symbol).copied();
        match mins {
            0 => self.last(symbol),
            5 => of_five.unwrap_or_else(|| self.last(symbol)),
            _ => {
                let bars = self.bars(symbol, mins);
                let [qty, value] = bars
                    .iter()
                    .fold([0, 0], |sum, bar| [sum[0] + bar[0], sum[1] + bar[1]]);
                if qty > 0 {
                    value * ONE / qty
                } else {
                    self.last(symbol)
                }
            }
        }
    }

    fn bars(&self, symbol: &str, most: u64) -> &[[i128; 2]] {
        let bars = self.filters.bars.get(symbol).map_or(&[][..], Vec::as_slice);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        &bars[bars.len().saturating_sub(most)..]
    }

    /// The answer to `klines`: only the volumes say something.
    pub(super) fn klines(&self, symbol: &str, most: u64) -> Value {
        let bar = |[qty, value]: &[i128; 2]| {
            json!([
                0,
                "0.0",
                "0.0",
                "0.0",
                "0.0",
                text(*qty),
                0,
                text(*value),
                1,
                "0.0",
                "0.0",
                "0"
            ])
        };
        self.bars(symbol, most).iter().map(bar).collect()
    }

    /// The filter on prices, counts or balances that a new order fails, if any.
    pub(super) fn refused_by(&self, new: &New) -> Option<String> {
        let all = self.filters_of(&new.symbol);
        let all = all.iter().chain(self.filters.of(""));
        let is_open = |status: &str| matches!(status, "NEW" | "PARTIALLY_FILLED");
        let open = self.orders.iter().filter(|order| is_open(order.status));
        let (base, cash) = assets(&new.symbol);
        let mut failed = all.filter(|filter| {
            let market = new.kind == "MARKET";
            let mean = self.mean(&new.symbol, filter["avgPriceMins"].as_u64().unwrap_or(5));
            let outside = |up: &str, down: &str| {
                let price = new.price * ONE;
                !market && (price > units(filter, up) * mean || price < units(filter, down) * mean)
            };
            match kind(filter) {
                "PERCENT_PRICE" => outside("multiplierUp", "multiplierDown"),
                "PERCENT_PRICE_BY_SIDE" if new.buys => {
                    outside("bidMultiplierUp", "bidMultiplierDown")
                }
                "PERCENT_PRICE_BY_SIDE" => outside("askMultiplierUp", "askMultiplierDown"),
                "MAX_NUM_ORDERS" => {
                    let of_symbol = open.clone().filter(|order| order.symbol == new.symbol);
                    of_symbol.count() >= count(filter, "maxNumOrders")
                }
                "EXCHANGE_MAX_NUM_ORDERS" => open.clone().count() >= count(filter, "maxNumOrders"),
                "MAX_POSITION" => {
                    let (free, locked) = self.balances.get(base).copied().unwrap_or_default();
                    let buying = open
                        .clone()
                        .filter(|order| order.buys && assets(&order.symbol).0 == base);
                    let on_order: i128 = buying.map(|order| order.qty - order.executed).sum();
                    let after = free + locked + on_order + new.qty;
                    new.buys && after > units(filter, "maxPosition")
                }
                "MAX_ASSET" => {
                    let price = if market { mean } else { new.price };
                    let asset = filter["asset"].as_str().unwrap_or_default();
                    let moved = if asset == base {
                        new.qty
                    } else if asset == cash {
                        price * new.qty / ONE
                    } else {
                        0
                    };
                    moved > units(filter, "limit")
                }
                _ => false,
            }
        });
        failed.next().map(|filter| kind(filter).to_owned())
    }
}
