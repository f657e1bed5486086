//! The venue as a [`Broker`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use nanobook::trading::{
    Account, ClientOrderId, DataType, Fill, Instrument, InstrumentState, NewOrder, Order, Position,
    Quote, TimeInForce, Units,
};
use nanobook::{Money, OrderKind, Price, Side, Symbol, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::config::Config;
use super::convert::{
    Parsed, RawAccount, RawMean, RawOrder, RawReference, RawTicker, RawTrade, millis, price,
    symbol, units, weighted,
};
use super::filters::{self, Context, Count, Needs, Rules, Scope};
use super::listing::{Filter, Listing, OwnFilters};
use super::rest::{Failure, Proof, RateLimit, Request, Rest};
use crate::error::{Error, Result};
use crate::outcome::{Denial, Outcome};
use crate::{Broker, Capabilities, OrderKey, Session, Venue};

const TIFS: &[TimeInForce] = &[TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok];

/// The venue does not know the order, or not yet.
const NO_SUCH_ORDER: i32 = -2013;

/// The instrument has no reference price.
const NO_REFERENCE: [i32; 2] = [-2043, 404];

/// Rows of a page of executions.
const PAGE: usize = 1_000;

/// Binance spot.
///
/// # Examples
/// ```no_run
/// use nanobook_broker::Broker;
/// use nanobook_broker::binance::{BinanceBroker, Config, Signer};
/// use nanobook_broker::secret::Secret;
///
/// let key = Secret::from_env("BINANCE_API_KEY")?;
/// let signer = Signer::from_secret(Secret::from_env("BINANCE_API_SECRET")?)?;
/// // The test network; `Endpoint::live()` is for those who mean it.
/// let mut broker = BinanceBroker::new(Config::new(key, signer))?;
/// println!("{:?}", broker.connect()?);
/// # Ok::<(), nanobook_broker::Error>(())
/// ```
pub struct BinanceBroker {
    rest: Rest,
    capabilities: Capabilities,
    account_id: Option<String>,
    rules: BTreeMap<Symbol, Rules>,
    /// The account's own filters, of instruments that it has sent orders of.
    own: BTreeMap<Symbol, OwnFilters>,
    /// Ids that were sent, or may have been.
    sent: HashSet<ClientOrderId>,
    /// Our ids by the venue's, which executions carry.
    ids: HashMap<u64, Option<ClientOrderId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeInfo {
    rate_limits: Vec<RateLimit>,
    #[serde(default)]
    exchange_filters: Vec<Filter>,
    symbols: Vec<Listing>,
}

impl BinanceBroker {
    /// Makes a broker; nothing is sent before [`Broker::connect`].
    ///
    /// # Errors
    /// When the settings can't be.
    pub fn new(config: Config) -> Result<Self> {
        if config.recv_window_ms == 0 || config.recv_window_ms > 60_000 {
            return Err(Error::Config {
                setting: "recv_window_ms",
                detail: format!("{} is not 1 to 60000", config.recv_window_ms),
            });
        }
        Ok(Self {
            rest: Rest::new(config)?,
            capabilities: Capabilities {
                venue: Venue::Binance,
                fractional: true,
                short: false,
                market_orders: true,
                tifs: TIFS,
                unique_ids: false,
                fee_in_asset: true,
                hours: false,
                margin: false,
                visibility_lag_ns: 5_000_000_000,
            },
            account_id: None,
            rules: BTreeMap::new(),
            own: BTreeMap::new(),
            sent: HashSet::new(),
            ids: HashMap::new(),
        })
    }

    /// Request weight used in this minute, as the venue last counted it.
    pub fn used_weight(&self) -> u32 {
        self.rest.used_weight()
    }

    /// The rules of an instrument, once they were asked for.
    pub fn rules(&self, symbol: Symbol) -> Option<&Rules> {
        self.rules.get(&symbol)
    }

    fn get<T: DeserializeOwned>(
        &mut self,
        path: &'static str,
        params: &[(&'static str, String)],
        proof: Proof,
        weight: u32,
    ) -> std::result::Result<T, Failure> {
        self.rest.ask(&Request {
            method: Method::GET,
            path,
            params,
            proof,
            weight,
            orders: 0,
        })
    }

    fn account_id(&self) -> Result<&str> {
        self.account_id.as_deref().ok_or(Error::NotConnected {
            venue: Venue::Binance,
        })
    }

    fn raw_account(&mut self) -> Result<RawAccount> {
        let params = [("omitZeroBalances", "true".to_owned())];
        self.get("/api/v3/account", &params, Proof::Signed, 20)
            .map_err(Failure::into_error)
    }

    fn load_rules(&mut self) -> Result<()> {
        let info: ExchangeInfo = self
            .get("/api/v3/exchangeInfo", &[], Proof::None, 20)
            .map_err(Failure::into_error)?;
        self.rest.set_limits(&info.rate_limits);
        // A listing that can't be read is one that can't be traded.
        self.rules = info
            .symbols
            .iter()
            .filter_map(|listing| listing.rules(&info.exchange_filters).ok())
            .map(|rules| (rules.instrument.symbol, rules))
            .collect();
        for (symbol, own) in &self.own {
            if let Some(rules) = self.rules.get_mut(symbol) {
                protocol("/api/v3/myFilters", rules.add(own.all()))?;
            }
        }
        Ok(())
    }

    /// Adds what the venue asks of this account in particular, once for each instrument.
    fn load_own(&mut self, symbol: Symbol) -> std::result::Result<(), Failure> {
        let path = "/api/v3/myFilters";
        if !self.rest.config().own_filters || self.own.contains_key(&symbol) {
            return Ok(());
        }
        let params = [("symbol", symbol.to_string())];
        let own: OwnFilters = self.get(path, &params, Proof::Signed, 40)?;
        if let Some(rules) = self.rules.get_mut(&symbol) {
            protocol(path, rules.add(own.all())).map_err(Failure::Doubt)?;
        }
        self.own.insert(symbol, own);
        Ok(())
    }

    /// The price that filters compare with: the reference price where the instrument has one, else the mean of the last
    /// minutes, weighted by volume; of no minutes, and where nothing traded, the last price.
    fn mean(&mut self, symbol: Symbol, mins: u32) -> std::result::Result<Price, Failure> {
        let one = [("symbol", symbol.to_string())];
        let path = "/api/v3/referencePrice";
        match self.get::<RawReference>(path, &one, Proof::None, 2) {
            Ok(answer) => {
                if let Some(text) = &answer.reference_price {
                    return protocol(path, price(text)).map_err(Failure::Doubt);
                }
            }
            Err(failure) if failure.code().is_some_and(|c| NO_REFERENCE.contains(&c)) => {}
            Err(failure) => return Err(failure),
        }
        if mins > 0 {
            let path = "/api/v3/avgPrice";
            let answer: RawMean = self.get(path, &one, Proof::None, 2)?;
            if answer.mins == Some(mins) {
                return protocol(path, price(&answer.price)).map_err(Failure::Doubt);
            }
            // The venue's own mean is of other minutes than the filter's.
            let path = "/api/v3/klines";
            let [symbol] = one.clone();
            let params = [
                symbol,
                ("interval", "1m".to_owned()),
                ("limit", mins.to_string()),
            ];
            let bars: Vec<Vec<serde_json::Value>> = self.get(path, &params, Proof::None, 2)?;
            if let Some(mean) = protocol(path, weighted(&bars)).map_err(Failure::Doubt)? {
                return Ok(mean);
            }
        }
        let path = "/api/v3/ticker/price";
        let answer: RawMean = self.get(path, &one, Proof::None, 2)?;
        protocol(path, price(&answer.price)).map_err(Failure::Doubt)
    }

    /// Asks for what the filters of an order need.
    fn context(&mut self, symbol: Symbol, needs: Needs) -> std::result::Result<Context, Failure> {
        let mut context = Context::default();
        if let Some(mins) = needs.mean_mins {
            context.mean = Some(self.mean(symbol, mins)?);
        }
        let path = "/api/v3/openOrders";
        let one = [("symbol", symbol.to_string())];
        let open: Vec<RawOrder> = match needs.orders {
            Scope::Nothing => Vec::new(),
            Scope::Instrument => self.get(path, &one, Proof::Signed, 6)?,
            Scope::Account => self.get(path, &[], Proof::Signed, 80)?,
        };
        let count = |orders: &[&RawOrder]| {
            let algo = orders.iter().filter(|order| order.is_algo()).count();
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            Some(Count {
                all: number(orders.len()),
                algo: number(algo),
            })
        };
        let of_symbol: Vec<&RawOrder> = open
            .iter()
            .filter(|order| order.symbol == symbol.as_str())
            .collect();
        if needs.orders != Scope::Nothing {
            context.open = count(&of_symbol);
        }
        if needs.orders == Scope::Account {
            context.account = count(&open.iter().collect::<Vec<_>>());
        }
        if needs.position {
            let account = self.raw_account().map_err(Failure::Doubt)?;
            let position = self.position(symbol, &account, &open);
            context.position = Some(protocol(path, position).map_err(Failure::Doubt)?);
        }
        Ok(context)
    }

    /// What is held of an instrument's asset, and what open orders may yet buy of it, in all its markets.
    fn position(&self, symbol: Symbol, account: &RawAccount, open: &[RawOrder]) -> Parsed<Units> {
        let base = |symbol: Symbol| self.rules.get(&symbol).and_then(|r| r.instrument.base);
        let asset = base(symbol).ok_or("an instrument without an asset")?;
        let mut sum = Units::ZERO;
        let mut add = |units: Units| -> Parsed<()> {
            sum = sum
                .checked_add(units)
                .ok_or("a quantity that is too large")?;
            Ok(())
        };
        for balance in account
            .balances
            .iter()
            .filter(|b| b.asset == asset.as_str())
        {
            add(balance.amounts()?.1)?;
        }
        for order in open {
            let market: Symbol = super::convert::symbol(&order.symbol)?;
            if order.buys() && base(market) == Some(asset) {
                add(order.leaves()?)?;
            }
        }
        Ok(sum)
    }

    fn tickers(&mut self) -> Result<Vec<RawTicker>> {
        self.get("/api/v3/ticker/bookTicker", &[], Proof::None, 4)
            .map_err(Failure::into_error)
    }

    /// What is held besides cash: instrument, what can be sold, all of it.
    fn holdings(&self, account: &RawAccount) -> Result<Vec<(Symbol, Units, Units)>> {
        let config = self.rest.config();
        let mut holdings = Vec::new();
        for balance in &account.balances {
            let asset = protocol("/api/v3/account", symbol(&balance.asset))?;
            let wanted = config
                .assets
                .as_ref()
                .is_none_or(|assets| assets.contains(&asset));
            if asset == config.cash_asset || !wanted {
                continue;
            }
            let (free, all) = protocol("/api/v3/account", balance.amounts())?;
            if !all.is_zero() {
                let pair = format!("{asset}{}", config.cash_asset);
                holdings.push((protocol("/api/v3/account", symbol(&pair))?, free, all));
            }
        }
        Ok(holdings)
    }

    fn cash(&self, account: &RawAccount) -> Result<(Units, Units)> {
        let asset = self.rest.config().cash_asset;
        let cash = account.balances.iter().find(|b| b.asset == asset.as_str());
        cash.map_or(Ok((Units::ZERO, Units::ZERO)), |b| {
            protocol("/api/v3/account", b.amounts())
        })
    }

    /// Looks for an order by our id.
    fn look(&mut self, key: OrderKey) -> std::result::Result<Option<Order>, Failure> {
        let params = [
            ("symbol", key.symbol.to_string()),
            ("origClientOrderId", key.client_order_id.to_string()),
        ];
        match self.get::<RawOrder>("/api/v3/order", &params, Proof::Signed, 4) {
            Ok(raw) => self.known(&raw).map(Some),
            Err(failure) if failure.code() == Some(NO_SUCH_ORDER) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// An order of an answer, remembered by its ids.
    fn known(&mut self, raw: &RawOrder) -> std::result::Result<Order, Failure> {
        let account_id = self.account_id.clone().unwrap_or_default();
        let order = protocol("/api/v3/order", raw.order(&account_id)).map_err(Failure::Doubt)?;
        self.ids.insert(raw.order_id, order.client_order_id);
        Ok(order)
    }

    /// After an answer that says nothing: looks for the order, and gives up without a guess.
    fn resolve(&mut self, key: OrderKey, doubt: Error) -> Outcome {
        for _ in 0..self.rest.config().look_again {
            std::thread::sleep(Duration::from_millis(self.rest.config().look_pause_ms));
            // That it is not there is no proof: answers lag behind.
            if let Ok(Some(order)) = self.look(key) {
                return Outcome::Confirmed(order);
            }
        }
        Outcome::Unknown(doubt)
    }

    fn denial(&mut self, order: &NewOrder) -> std::result::Result<(), Denial> {
        if self.account_id.is_none() {
            return Err(Denial::NotConnected);
        }
        let client_order_id = order.client_order_id;
        if self.sent.contains(&client_order_id) {
            return Err(Denial::AlreadySent { client_order_id });
        }
        let symbol = order.symbol;
        let rules = self
            .rules
            .get(&symbol)
            .ok_or(Denial::UnknownInstrument { symbol })?;
        let unsupported = |what: String| {
            Err(Denial::Unsupported {
                venue: Venue::Binance,
                what,
            })
        };
        match order.kind {
            OrderKind::Limit { .. } if !TIFS.contains(&order.tif) => {
                return unsupported(format!("time in force {}", order.tif.as_str()));
            }
            OrderKind::Limit { .. } | OrderKind::Market => {}
            _ => return unsupported("a stop".to_owned()),
        }
        if rules.instrument.state != InstrumentState::Trading {
            return unsupported(format!("an order of {symbol}, which does not trade now,"));
        }
        // What needs no question first: an order that breaks a rule costs the venue nothing.
        filters::check(order, rules, &Context::default())?;
        let unprepared = |what| {
            move |failure: Failure| Denial::Unprepared {
                what,
                detail: failure.into_error().to_string(),
            }
        };
        self.load_own(symbol)
            .map_err(unprepared("the question for the account's filters"))?;
        if let Some(needs) = self.rules.get(&symbol).map(|rules| rules.needs(order)) {
            let context = self
                .context(symbol, needs)
                .map_err(unprepared("the question for what its filters need"))?;
            if let Some(rules) = self.rules.get(&symbol) {
                filters::check(order, rules, &context)?;
            }
        }
        // The venue compares ids with open orders only: an order that filled would be placed again.
        match self.look(OrderKey::of(order)) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(Denial::AlreadySent { client_order_id }),
            Err(failure) => Err(unprepared("the search for an earlier order")(failure)),
        }
    }
}

impl Broker for BinanceBroker {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn connect(&mut self) -> Result<Session> {
        self.account_id = None;
        self.own.clear();
        self.rest.sync().map_err(Failure::into_error)?;
        let account = self.raw_account()?;
        let found = account
            .uid
            .map_or_else(|| "spot".to_owned(), |uid| uid.to_string());
        let config = self.rest.config();
        let is_paper = !config.endpoint.is_live();
        if let Some(expected) = &config.account_id
            && *expected != found
        {
            return Err(Error::WrongAccount {
                expected: expected.clone(),
                found,
            });
        }
        if !account.can_trade {
            return Err(Error::Config {
                setting: "key",
                detail: format!("the account {found} may not trade"),
            });
        }
        self.load_rules()?;
        self.account_id = Some(found.clone());
        Ok(Session {
            account_id: found,
            is_paper,
            clock_offset_ns: self.rest.offset_ms.saturating_mul(1_000_000),
        })
    }

    fn clock(&mut self) -> Result<Timestamp> {
        self.rest.sync().map(millis).map_err(Failure::into_error)
    }

    fn account(&mut self) -> Result<Account> {
        let account_id = self.account_id()?.to_owned();
        let raw = self.raw_account()?;
        let (free, cash) = self.cash(&raw)?;
        let holdings = self.holdings(&raw)?;
        let marks = if holdings.is_empty() {
            BTreeMap::new()
        } else {
            marks(&self.tickers()?)?
        };
        let value = holdings.iter().try_fold(0_i128, |sum, (symbol, _, all)| {
            let mark = marks.get(symbol)?;
            sum.checked_add(all.exact_notional(*mark)? / nanobook::trading::decimal::ONE)
        });
        Ok(Account {
            account_id,
            currency: self.rest.config().cash_asset,
            equity: value.and_then(|value| cash.0.checked_add(value)).map(Money),
            cash: Money(cash.0),
            buying_power: Some(Money(free.0)),
            is_paper: !self.rest.config().endpoint.is_live(),
            ts_event: Some(millis(raw.update_time)),
        })
    }

    fn positions(&mut self) -> Result<Vec<Position>> {
        let account_id = self.account_id()?.to_owned();
        let raw = self.raw_account()?;
        let holdings = self.holdings(&raw)?;
        if holdings.is_empty() {
            return Ok(Vec::new());
        }
        let marks = marks(&self.tickers()?)?;
        let position = |(symbol, free, all): (Symbol, Units, Units)| Position {
            account_id: account_id.clone(),
            symbol,
            qty: all,
            available: Some(free),
            avg_px: None,
            market_px: marks.get(&symbol).copied(),
        };
        Ok(holdings.into_iter().map(position).collect())
    }

    fn instruments(&mut self, symbols: &[Symbol]) -> Result<Vec<Instrument>> {
        self.account_id()?;
        self.load_rules()?;
        let instrument = |symbol: &Symbol| self.rules.get(symbol).map(|rules| rules.instrument);
        Ok(symbols.iter().filter_map(instrument).collect())
    }

    fn quotes(&mut self, symbols: &[Symbol]) -> Result<Vec<Quote>> {
        self.account_id()?;
        let tickers = self.tickers()?;
        // The answer has no time: it is the time at which it was made, at most.
        let ts_event = millis(self.rest.now_ms());
        let path = "/api/v3/ticker/bookTicker";
        let mut quotes = Vec::new();
        for ticker in &tickers {
            let Ok(name) = symbol(&ticker.symbol) else {
                continue;
            };
            if !symbols.contains(&name) {
                continue;
            }
            let side = |px: &str, qty: &str| -> Parsed<Option<(Price, Units)>> {
                let (px, qty) = (price(px)?, Units(units(qty)?));
                Ok((px.0 > 0 && qty.0 > 0).then_some((px, qty)))
            };
            let bid = protocol(path, side(&ticker.bid_price, &ticker.bid_qty))?;
            let ask = protocol(path, side(&ticker.ask_price, &ticker.ask_qty))?;
            quotes.push(Quote {
                symbol: name,
                bid_px: bid.map(|(px, _)| px),
                bid_qty: bid.map(|(_, qty)| qty),
                ask_px: ask.map(|(px, _)| px),
                ask_qty: ask.map(|(_, qty)| qty),
                last_px: None,
                data_type: Some(DataType::Live),
                ts_event,
            });
        }
        Ok(quotes)
    }

    fn submit(&mut self, order: &NewOrder) -> Outcome {
        if let Err(denial) = self.denial(order) {
            return Outcome::Denied(denial);
        }
        let mut params = vec![
            ("symbol", order.symbol.to_string()),
            ("side", side(order.side).to_owned()),
            ("quantity", order.qty.to_string()),
            ("newClientOrderId", order.client_order_id.to_string()),
            ("newOrderRespType", "RESULT".to_owned()),
        ];
        if let Some(price) = order.kind.price() {
            params.push(("type", "LIMIT".to_owned()));
            params.push(("timeInForce", order.tif.as_str().to_ascii_uppercase()));
            params.push(("price", price.to_string()));
        } else {
            params.push(("type", "MARKET".to_owned()));
        }
        self.sent.insert(order.client_order_id);
        let answer = self.rest.ask::<RawOrder>(&Request {
            method: Method::POST,
            path: "/api/v3/order",
            params: &params,
            proof: Proof::Signed,
            weight: 1,
            orders: 1,
        });
        match answer.and_then(|raw| self.known(&raw)) {
            Ok(order) => Outcome::Confirmed(order),
            Err(Failure::NotSent(error)) => {
                self.sent.remove(&order.client_order_id);
                Outcome::Denied(not_sent(&error))
            }
            Err(Failure::Refused { code, text, .. }) => {
                self.sent.remove(&order.client_order_id);
                Outcome::rejected(code, text)
            }
            Err(Failure::Doubt(error)) => self.resolve(OrderKey::of(order), error),
        }
    }

    fn cancel(&mut self, key: OrderKey) -> Outcome {
        if self.account_id.is_none() {
            return Outcome::Denied(Denial::NotConnected);
        }
        let params = [
            ("symbol", key.symbol.to_string()),
            ("origClientOrderId", key.client_order_id.to_string()),
        ];
        let answer = self.rest.ask::<RawOrder>(&Request {
            method: Method::DELETE,
            path: "/api/v3/order",
            params: &params,
            proof: Proof::Signed,
            weight: 1,
            orders: 0,
        });
        match answer.and_then(|raw| self.known(&raw)) {
            Ok(order) => Outcome::Confirmed(order),
            Err(Failure::NotSent(error)) => Outcome::Denied(not_sent(&error)),
            Err(Failure::Refused { code, text, .. }) => Outcome::rejected(code, text),
            Err(Failure::Doubt(error)) => match self.look(key) {
                // An order that has ended needs no cancel; one that works may still lose it.
                Ok(Some(order)) if order.state.is_final() => Outcome::Confirmed(order),
                _ => Outcome::Unknown(error),
            },
        }
    }

    fn order(&mut self, key: OrderKey) -> Result<Vec<Order>> {
        self.account_id()?;
        let found = self.look(key).map_err(Failure::into_error)?;
        Ok(found.into_iter().collect())
    }

    fn open_orders(&mut self) -> Result<Vec<Order>> {
        self.account_id()?;
        let raw: Vec<RawOrder> = self
            .get("/api/v3/openOrders", &[], Proof::Signed, 80)
            .map_err(Failure::into_error)?;
        let orders = raw
            .iter()
            .map(|raw| self.known(raw).map_err(Failure::into_error));
        orders.collect()
    }

    fn fills_since(&mut self, symbols: &[Symbol], since: Timestamp) -> Result<Vec<Fill>> {
        let account_id = self.account_id()?.to_owned();
        let since_ms = since.0.div_euclid(1_000_000);
        let mut fills = Vec::new();
        for symbol in symbols {
            let mut from = ("startTime", since_ms.to_string());
            loop {
                let params = [
                    ("symbol", symbol.to_string()),
                    ("limit", PAGE.to_string()),
                    from,
                ];
                let page: Vec<RawTrade> = self
                    .get("/api/v3/myTrades", &params, Proof::Signed, 20)
                    .map_err(Failure::into_error)?;
                for trade in &page {
                    let id = self.owner(*symbol, trade.order_id)?;
                    if millis(trade.time) >= since {
                        fills.push(protocol("/api/v3/myTrades", trade.fill(&account_id, id))?);
                    }
                }
                match page.last() {
                    Some(last) if page.len() == PAGE => {
                        from = ("fromId", (last.id + 1).to_string());
                    }
                    _ => break,
                }
            }
        }
        fills.sort_by_key(|fill| fill.ts_event);
        Ok(fills)
    }
}

impl BinanceBroker {
    /// Our id of an order, which executions do not carry.
    fn owner(&mut self, symbol: Symbol, order_id: u64) -> Result<Option<ClientOrderId>> {
        if let Some(id) = self.ids.get(&order_id) {
            return Ok(*id);
        }
        let params = [
            ("symbol", symbol.to_string()),
            ("orderId", order_id.to_string()),
        ];
        let raw: RawOrder = self
            .get("/api/v3/order", &params, Proof::Signed, 4)
            .map_err(Failure::into_error)?;
        let order = self.known(&raw).map_err(Failure::into_error)?;
        Ok(order.client_order_id)
    }
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

fn not_sent(error: &Error) -> Denial {
    match error {
        Error::Paused { wait_ms, .. } => Denial::Paused { wait_ms: *wait_ms },
        _ => Denial::NotConnected,
    }
}

/// The middle of each two-sided quote.
fn marks(tickers: &[RawTicker]) -> Result<BTreeMap<Symbol, Price>> {
    let mut marks = BTreeMap::new();
    for ticker in tickers {
        let Ok(name) = symbol(&ticker.symbol) else {
            continue;
        };
        let path = "/api/v3/ticker/bookTicker";
        let bid = protocol(path, price(&ticker.bid_price))?;
        let ask = protocol(path, price(&ticker.ask_price))?;
        if bid.0 > 0 && ask.0 > 0 {
            marks.insert(name, Price(bid.0 + (ask.0 - bid.0) / 2));
        }
    }
    Ok(marks)
}

fn protocol<T>(what: &'static str, parsed: Parsed<T>) -> Result<T> {
    parsed.map_err(|detail| Error::Protocol {
        venue: Venue::Binance,
        what,
        detail,
    })
}
