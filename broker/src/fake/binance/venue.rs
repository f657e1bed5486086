//! What the server knows, and its rules.

use std::collections::{BTreeMap, VecDeque};

use ed25519_dalek::VerifyingKey;
use nanobook::trading::DecimalError;
use nanobook::trading::decimal::{self, ONE};
use serde_json::{Value, json};

use super::filters::Filters;

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is cut.
    Drop {
        /// Whether the request was done before.
        processed: bool,
    },
    /// No answer comes, and the connection stays open.
    Silence {
        /// Whether the request was done.
        processed: bool,
    },
    /// Another answer comes.
    Answer {
        /// HTTP status.
        status: u16,
        /// The venue's code; zero for a page that is no JSON.
        code: i32,
        /// Its words.
        text: String,
        /// Seconds, for the header `Retry-After`.
        retry_after: Option<u64>,
        /// Whether the request was done.
        processed: bool,
    },
    /// The answer comes late.
    Slow {
        /// By how many milliseconds.
        ms: u64,
    },
    /// An order that is placed is not to be seen by the next so many questions for it.
    Hide {
        /// How many.
        questions: u32,
    },
    /// The answer ends in the middle, though its headers say that it is whole.
    Garbage,
}

/// What a signature is checked with.
#[derive(Clone, Debug)]
pub enum Key {
    /// A shared secret.
    Hmac(String),
    /// A public key.
    Ed25519(VerifyingKey),
}

/// A refusal: status, code, words.
pub(super) type Refusal = (u16, i32, String);

pub(super) fn refuse<T>(code: i32, text: &str) -> Result<T, Refusal> {
    Err((400, code, text.to_owned()))
}

#[derive(Clone, Debug)]
pub(super) struct Quote {
    pub(super) bid: (i128, i128),
    pub(super) ask: (i128, i128),
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) client_id: String,
    pub(super) symbol: String,
    pub(super) buys: bool,
    pub(super) kind: String,
    pub(super) tif: String,
    pub(super) price: i128,
    pub(super) qty: i128,
    pub(super) executed: i128,
    pub(super) quote: i128,
    pub(super) status: &'static str,
    pub(super) time: i64,
    /// Questions that don't see it yet.
    pub(super) hidden: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Trade {
    id: u64,
    pub(super) order_id: u64,
    pub(super) symbol: String,
    price: i128,
    qty: i128,
    fee: i128,
    fee_asset: String,
    pub(super) time: i64,
    buys: bool,
    rested: bool,
}

/// The venue.
#[derive(Debug)]
pub(super) struct Venue {
    pub(super) keys: BTreeMap<String, Key>,
    /// The venue's clock less that of the machine, in milliseconds.
    pub(super) clock_ms: i64,
    pub(super) balances: BTreeMap<String, (i128, i128)>,
    pub(super) quotes: BTreeMap<String, Quote>,
    pub(super) orders: Vec<Order>,
    pub(super) trades: Vec<Trade>,
    pub(super) faults: VecDeque<(String, Fault)>,
    pub(super) weight_limit: u32,
    pub(super) order_limit: u32,
    /// Minute, and weight used in it.
    pub(super) weight: (i64, u32),
    /// Interval of ten seconds, and orders in it.
    pub(super) order_count: (i64, u32),
    /// Requests that came although a pause was asked for.
    pub(super) ignored: u32,
    pub(super) can_trade: bool,
    /// Method and path of every request, oldest first.
    pub(super) log: Vec<String>,
    /// Fee of a trade, in bps, from what was bought.
    pub(super) fee_bps: i128,
    /// What was set of filters and of the prices that they compare with.
    pub(super) filters: Filters,
}

/// Instruments: symbol, base, quote, tick, step.
pub(super) const LISTED: [(&str, &str, &str, &str, &str); 3] = [
    ("BTCUSDT", "BTC", "USDT", "0.01000000", "0.00001000"),
    ("ETHUSDT", "ETH", "USDT", "0.01000000", "0.00010000"),
    ("ADAUSDT", "ADA", "USDT", "0.00010000", "0.10000000"),
];

pub(super) fn listing(symbol: &str) -> Option<Value> {
    let (symbol, base, quote, tick, step) = *LISTED.iter().find(|listed| listed.0 == symbol)?;
    Some(json!({
        "symbol": symbol, "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8,
        "quoteAsset": quote, "quotePrecision": 8, "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "icebergAllowed": false, "ocoAllowed": false,
        "otoAllowed": false, "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": false,
        "cancelReplaceAllowed": true, "amendAllowed": false, "pegInstructionsAllowed": false,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000.00000000", "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "1000.00000000", "stepSize": "0.00000000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": true, "maxNotional": "9000000.00000000", "applyMaxToMarket": false, "avgPriceMins": 5},
            {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2", "askMultiplierUp": "5", "askMultiplierDown": "0.2", "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
        "permissions": [], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER", "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"]
    }))
}

/// Eight decimals, as the venue writes numbers.
pub(super) fn text(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let units = units.abs();
    format!("{sign}{}.{:08}", units / ONE, units % ONE / 10)
}

pub(super) fn assets(symbol: &str) -> (&'static str, &'static str) {
    let listed = LISTED.iter().find(|listed| listed.0 == symbol);
    listed.map_or(("", ""), |listed| (listed.1, listed.2))
}

/// What is asked of a new order.
pub(super) struct New {
    pub(super) client_id: String,
    pub(super) symbol: String,
    pub(super) buys: bool,
    pub(super) kind: String,
    pub(super) tif: String,
    pub(super) price: i128,
    pub(super) qty: i128,
}

impl Venue {
    pub(super) fn new() -> Self {
        let units = |text: &str| decimal::parse(text).unwrap_or_default();
        let quote = |bid: &str, ask: &str, qty: &str| Quote {
            bid: (units(bid), units(qty)),
            ask: (units(ask), units(qty)),
        };
        Self {
            keys: BTreeMap::new(),
            clock_ms: 0,
            balances: BTreeMap::from([
                ("USDT".to_owned(), (units("100000"), 0)),
                ("BTC".to_owned(), (units("1"), 0)),
            ]),
            quotes: BTreeMap::from([
                ("BTCUSDT".to_owned(), quote("49999", "50001", "2")),
                ("ETHUSDT".to_owned(), quote("2999.5", "3000.5", "20")),
                ("ADAUSDT".to_owned(), quote("0.4999", "0.5001", "5000")),
            ]),
            orders: Vec::new(),
            trades: Vec::new(),
            faults: VecDeque::new(),
            weight_limit: 6_000,
            order_limit: 100,
            weight: (0, 0),
            order_count: (0, 0),
            ignored: 0,
            can_trade: true,
            log: Vec::new(),
            fee_bps: 10,
            filters: Filters::default(),
        }
    }

    /// The filter that a new order fails, if any.
    fn filter(new: &New) -> Option<&'static str> {
        let (_, _, _, tick, step) = LISTED.iter().find(|listed| listed.0 == new.symbol)?;
        let units = |text: &str| decimal::parse(text).unwrap_or(1);
        let off = |value: i128, step: i128| value <= 0 || value % step != 0;
        if new.kind != "MARKET" && (off(new.price, units(tick)) || new.price > units("1000000")) {
            return Some("PRICE_FILTER");
        }
        if off(new.qty, units(step)) || new.qty > units("9000") {
            return Some("LOT_SIZE");
        }
        if new.kind == "MARKET" && new.qty > units("1000") {
            return Some("MARKET_LOT_SIZE");
        }
        None
    }

    pub(super) fn place(&mut self, new: New, now: i64, hidden: u32) -> Result<usize, Refusal> {
        let Some(quote) = self.quotes.get(&new.symbol) else {
            return refuse(-1121, "Invalid symbol.");
        };
        if self.filters.statuses.contains_key(&new.symbol) {
            return refuse(-1013, "Market is closed.");
        }
        if let Some(filter) = Self::filter(&new) {
            return refuse(-1013, &format!("Filter failure: {filter}"));
        }
        let mean = quote.bid.0.midpoint(quote.ask.0);
        let price = if new.kind == "MARKET" {
            mean
        } else {
            new.price
        };
        if price * new.qty < 5 * ONE * ONE {
            return refuse(-1013, "Filter failure: NOTIONAL");
        }
        if let Some(filter) = self.refused_by(&new) {
            return refuse(-1013, &format!("Filter failure: {filter}"));
        }
        // Documented: an id is compared with those of open orders, and may come again after the order filled.
        let open = |order: &Order| matches!(order.status, "NEW" | "PARTIALLY_FILLED");
        if self
            .orders
            .iter()
            .any(|o| open(o) && o.client_id == new.client_id)
        {
            return refuse(-2010, "Duplicate order sent.");
        }
        let touch = if new.buys { quote.ask.0 } else { quote.bid.0 };
        let worst = if new.kind == "MARKET" {
            touch
        } else {
            new.price
        };
        let (base, cash) = assets(&new.symbol);
        let (asset, needed) = if new.buys {
            (cash, worst * new.qty / ONE)
        } else {
            (base, new.qty)
        };
        let balance = self.balances.entry(asset.to_owned()).or_default();
        if balance.0 < needed {
            return refuse(
                -2010,
                "Account has insufficient balance for requested action.",
            );
        }
        balance.0 -= needed;
        balance.1 += needed;
        let at = self.orders.len();
        self.orders.push(Order {
            id: 1_000 + at as u64,
            client_id: new.client_id,
            symbol: new.symbol.clone(),
            buys: new.buys,
            price: worst,
            kind: new.kind,
            tif: new.tif,
            qty: new.qty,
            executed: 0,
            quote: 0,
            status: "NEW",
            time: now,
            hidden,
        });
        self.cross(at, now);
        Ok(at)
    }

    /// Trades a new order with the quote; what does not rest expires.
    fn cross(&mut self, at: usize, now: i64) {
        let order = self.orders[at].clone();
        let quote = self.quotes[&order.symbol].clone();
        let (price, there) = if order.buys { quote.ask } else { quote.bid };
        let crosses = if order.buys {
            order.price >= price
        } else {
            order.price <= price
        };
        let qty = if crosses { there.min(order.qty) } else { 0 };
        let kills = order.tif == "FOK" && qty < order.qty;
        if qty > 0 && !kills {
            self.trade(at, qty, price, now, false);
            if let Some(quote) = self.quotes.get_mut(&order.symbol) {
                let side = if order.buys {
                    &mut quote.ask
                } else {
                    &mut quote.bid
                };
                side.1 -= qty;
            }
        }
        let rests = order.kind != "MARKET" && order.tif == "GTC";
        if self.orders[at].executed < order.qty && !rests {
            self.finish(at, "EXPIRED", now);
        }
    }

    /// An execution: balances, fee from what was bought, status.
    pub(super) fn trade(&mut self, at: usize, qty: i128, price: i128, now: i64, rested: bool) {
        let order = &mut self.orders[at];
        let value = price * qty / ONE;
        order.executed += qty;
        order.quote += value;
        order.time = now;
        order.status = if order.executed == order.qty {
            "FILLED"
        } else {
            "PARTIALLY_FILLED"
        };
        let (base, cash) = assets(&order.symbol);
        let (gives, locked, gets, bought) = if order.buys {
            (cash, order.price * qty / ONE, base, qty)
        } else {
            (base, qty, cash, value)
        };
        let fee = bought * self.fee_bps / 10_000;
        let trade = Trade {
            id: 1 + self.trades.len() as u64,
            order_id: order.id,
            symbol: order.symbol.clone(),
            price,
            qty,
            fee,
            fee_asset: gets.to_owned(),
            time: now,
            buys: order.buys,
            rested,
        };
        let buys = order.buys;
        self.trades.push(trade);
        let balance = self.balances.entry(gives.to_owned()).or_default();
        balance.1 -= locked;
        if buys {
            // What a better price saved is free again.
            balance.0 += locked - value;
        }
        self.balances.entry(gets.to_owned()).or_default().0 += bought - fee;
    }

    /// Ends an order and frees what it held.
    pub(super) fn finish(&mut self, at: usize, status: &'static str, now: i64) {
        let order = &mut self.orders[at];
        order.status = status;
        order.time = now;
        let left = order.qty - order.executed;
        let (base, cash) = assets(&order.symbol);
        let (asset, held) = if order.buys {
            (cash, order.price * left / ONE)
        } else {
            (base, left)
        };
        let balance = self.balances.entry(asset.to_owned()).or_default();
        balance.1 -= held;
        balance.0 += held;
    }

    /// A new quote, which resting orders meet.
    pub(super) fn show(&mut self, symbol: &str, quote: Quote, now: i64) {
        self.quotes.insert(symbol.to_owned(), quote);
        for at in 0..self.orders.len() {
            let order = &self.orders[at];
            if order.symbol != symbol || !matches!(order.status, "NEW" | "PARTIALLY_FILLED") {
                continue;
            }
            let quote = &self.quotes[symbol];
            let (price, there) = if order.buys { quote.ask } else { quote.bid };
            let meets = if order.buys {
                order.price >= price
            } else {
                order.price <= price
            };
            let qty = there.min(order.qty - order.executed);
            if meets && qty > 0 {
                let (buys, at_price) = (order.buys, order.price);
                self.trade(at, qty, at_price, now, true);
                if let Some(quote) = self.quotes.get_mut(symbol) {
                    let side = if buys { &mut quote.ask } else { &mut quote.bid };
                    side.1 -= qty;
                }
            }
        }
    }
}

impl Order {
    /// As the venue tells of it.
    pub(super) fn json(&self) -> Value {
        let shown = if self.kind == "MARKET" { 0 } else { self.price };
        json!({
            "symbol": self.symbol, "orderId": self.id, "orderListId": -1, "clientOrderId": self.client_id,
            "price": text(shown), "origQty": text(self.qty), "executedQty": text(self.executed),
            "origQuoteOrderQty": "0.00000000", "cummulativeQuoteQty": text(self.quote),
            "status": self.status, "timeInForce": self.tif, "type": self.kind,
            "side": if self.buys { "BUY" } else { "SELL" }, "stopPrice": "0.00000000", "icebergQty": "0.00000000",
            "time": self.time, "updateTime": self.time, "transactTime": self.time, "workingTime": self.time,
            "isWorking": true, "selfTradePreventionMode": "EXPIRE_MAKER"
        })
    }
}

impl Trade {
    pub(super) fn json(&self) -> Value {
        json!({
            "symbol": self.symbol, "id": self.id, "orderId": self.order_id, "orderListId": -1,
            "price": text(self.price), "qty": text(self.qty), "quoteQty": text(self.price * self.qty / ONE),
            "commission": text(self.fee), "commissionAsset": self.fee_asset, "time": self.time,
            "isBuyer": self.buys, "isMaker": self.rested, "isBestMatch": true
        })
    }

    /// As part of a full answer to a new order.
    pub(super) fn brief(&self) -> Value {
        json!({
            "price": text(self.price), "qty": text(self.qty), "commission": text(self.fee),
            "commissionAsset": self.fee_asset, "tradeId": self.id
        })
    }
}

/// Numbers with more than eight decimals are refused.
pub(super) fn number(value: &str) -> Result<i128, Refusal> {
    match decimal::parse(value) {
        Ok(units) if units % 10 == 0 => Ok(units),
        Ok(_) | Err(DecimalError::TooFine) => refuse(-1111, "Parameter has too much precision."),
        Err(_) => refuse(-1100, "Illegal characters found in a parameter."),
    }
}
