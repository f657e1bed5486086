//! The gateway as a [`Broker`].

mod checks;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ibapi::accounts::types::AccountGroup;
use ibapi::accounts::{AccountSummaryResult, PositionUpdate};
use ibapi::client::blocking::Client;
use ibapi::market_data::MarketDataType;
use ibapi::market_data::realtime::Quote as RawQuote;
use ibapi::orders::{CancelOrder, ExecutionFilter, Executions, Orders as RawOrders, PlaceOrder};
use ibapi::subscriptions::SubscriptionItem;
use ibapi::{Error as RawError, RateLimiter};
use nanobook::trading::{
    Account, ClientOrderId, DataType, Fill, Instrument, NewOrder, Order, OrderState, Position,
    Quote, TimeInForce, Units,
};
use nanobook::{Price, Symbol, Timestamp};

use super::config::Config;
use super::convert::{self, Fills, Known, Orders, Parsed};
use super::rules::Rules;
use crate::error::{Error, Result};
use crate::outcome::{Denial, Outcome};
use crate::{Broker, Capabilities, Margin, OrderKey, Session, Venue};

const TIFS: &[TimeInForce] = &[
    TimeInForce::Day,
    TimeInForce::Gtc,
    TimeInForce::Ioc,
    TimeInForce::Fok,
];

/// No security definition for the request.
const NO_SUCH_CONTRACT: i32 = 200;

/// An order was cancelled, as was asked.
const CANCELLED: i32 = 202;

/// Interactive Brokers.
///
/// # Examples
/// ```no_run
/// use nanobook_broker::Broker;
/// use nanobook_broker::ibkr::{Config, IbkrBroker};
///
/// let mut broker = IbkrBroker::new(Config::new("DU1234567"))?;
/// println!("{:?}", broker.connect()?);
/// # Ok::<(), nanobook_broker::Error>(())
/// ```
pub struct IbkrBroker {
    config: Config,
    capabilities: Capabilities,
    client: Option<Client>,
    /// Ids that were sent, may have been, or were met at the venue.
    sent: HashSet<ClientOrderId>,
    /// The next order id is above all that were met, whatever the gateway says.
    next_order_id: i32,
    rules: HashMap<Symbol, Rules>,
}

impl IbkrBroker {
    /// Makes a broker; nothing is sent before [`Broker::connect`].
    ///
    /// # Errors
    /// When the settings can't be.
    pub fn new(config: Config) -> Result<Self> {
        config.checked()?;
        if config.messages_per_second == 0 || config.messages_per_second > 50 {
            return Err(Error::Config {
                setting: "messages_per_second",
                detail: format!("{} is not 1 to 50", config.messages_per_second),
            });
        }
        let capabilities = Capabilities {
            venue: Venue::Ibkr,
            fractional: config.fractional,
            short: config.short,
            market_orders: true,
            tifs: TIFS,
            unique_ids: false,
            fee_in_asset: false,
            hours: true,
            margin: true,
            visibility_lag_ns: 5_000_000_000,
        };
        Ok(Self {
            config,
            capabilities,
            client: None,
            sent: HashSet::new(),
            next_order_id: 1,
            rules: HashMap::new(),
        })
    }

    /// The rules of an instrument, once they were asked for.
    pub fn rules(&self, symbol: Symbol) -> Option<&Rules> {
        self.rules.get(&symbol)
    }

    const fn timeout(&self) -> Duration {
        Duration::from_millis(self.config.timeout_ms)
    }

    fn client(&self) -> Result<&Client> {
        match &self.client {
            Some(client) if client.is_connected() => Ok(client),
            _ => Err(Error::NotConnected { venue: Venue::Ibkr }),
        }
    }

    fn late(&self, what: &'static str) -> Error {
        Error::Timeout {
            venue: Venue::Ibkr,
            what,
            after_ms: self.config.timeout_ms,
        }
    }

    fn raw_error(&self, what: &'static str, error: &RawError) -> Error {
        match error {
            RawError::Timeout => self.late(what),
            RawError::Notice(notice) => Error::Refused {
                venue: Venue::Ibkr,
                what,
                code: notice.code,
                text: notice.message.clone(),
            },
            RawError::ProtobufDecode(_)
            | RawError::Parse(..)
            | RawError::UnexpectedResponse(_)
            | RawError::UnexpectedWireFormat(_) => Error::Protocol {
                venue: Venue::Ibkr,
                what,
                detail: error.to_string(),
            },
            _ => Error::Connection {
                venue: Venue::Ibkr,
                detail: error.to_string(),
            },
        }
    }

    /// Lists of orders, with what their executions say of them.
    fn orders(&self) -> Result<(Orders, Fills)> {
        let mut orders = Orders::new();
        let client = self.client()?;
        let what = "completed orders";
        let list = client
            .completed_orders(false)
            .map_err(|e| self.raw_error(what, &e))?;
        let list = list.collect_to_end_within(self.timeout());
        for row in list.map_err(|e| self.raw_error(what, &e))? {
            if let RawOrders::OrderData(data) = row {
                protocol(what, convert::add_order(&mut orders, &data, true))?;
            }
        }
        self.add_open(&mut orders)?;
        let fills = self.executions(None)?;
        protocol("executions", fills.complete(&mut orders))?;
        orders.retain(|_, known| known.order.account_id == self.config.account_id);
        Ok((orders, fills))
    }

    fn add_open(&self, orders: &mut Orders) -> Result<()> {
        let what = "open orders";
        let client = self.client()?;
        let list = client
            .all_open_orders()
            .map_err(|e| self.raw_error(what, &e))?;
        let list = list.collect_to_end_within(self.timeout());
        for row in list.map_err(|e| self.raw_error(what, &e))? {
            match row {
                RawOrders::OrderData(data) => {
                    protocol(what, convert::add_order(orders, &data, false))?;
                }
                RawOrders::OrderStatus(status) => {
                    protocol(what, convert::add_status(orders, &status))?;
                }
            }
        }
        Ok(())
    }

    /// Executions of the last days, each once and corrected.
    fn executions(&self, days: Option<i32>) -> Result<Fills> {
        let what = "executions";
        let filter = ExecutionFilter {
            account_code: self.config.account_id.clone(),
            last_n_days: days.unwrap_or_default(),
            ..ExecutionFilter::default()
        };
        let client = self.client()?;
        let list = client
            .executions(filter)
            .map_err(|e| self.raw_error(what, &e))?;
        let list = list.collect_to_end_within(self.timeout());
        let (mut fills, mut reports) = (Fills::default(), Vec::new());
        for row in list.map_err(|e| self.raw_error(what, &e))? {
            match row {
                Executions::ExecutionData(data) => {
                    protocol(what, fills.add(&data, &self.config.account_id))?;
                }
                Executions::CommissionReport(report) => reports.push(report),
            }
        }
        // A commission may come before its execution.
        for report in reports {
            protocol(what, fills.commission(&report))?;
        }
        Ok(fills)
    }

    /// Whether somebody is there: a connection that is dead on one side takes what is sent, and says nothing.
    fn probe(&self) -> Result<Timestamp> {
        let time = self
            .client()?
            .server_time_millis()
            .map_err(|e| self.raw_error("its time", &e))?;
        protocol(
            "its time",
            i64::try_from(time.unix_timestamp_nanos())
                .map(Timestamp)
                .map_err(|e| e.to_string()),
        )
    }

    /// Remembers what is at the venue, so that no id is sent twice and no order id is used again.
    fn reconcile(&mut self) -> Result<()> {
        let (orders, _) = self.orders()?;
        for known in orders.values() {
            self.sent.extend(known.order.client_order_id);
            if known.client_id == self.config.client_id {
                self.next_order_id = self.next_order_id.max(known.order_id.saturating_add(1));
            }
        }
        Ok(())
    }

    /// An order as it stands, found by our id.
    fn found(&self, key: OrderKey) -> Result<Vec<Known>> {
        let (orders, _) = self.orders()?;
        let ours = |known: &Known| known.order.client_order_id == Some(key.client_order_id);
        // Permanent ids grow, so the newest is the last.
        Ok(orders.into_values().filter(ours).collect())
    }

    /// What the venue has of an order that was sent; unknown when it can't be seen.
    fn confirm(&self, key: OrderKey, doubt: Error) -> Outcome {
        match self.found(key) {
            Ok(found) => match found.into_iter().next_back() {
                Some(known) => Outcome::Confirmed(known.order),
                None => Outcome::Unknown(doubt),
            },
            Err(_) => Outcome::Unknown(doubt),
        }
    }

    fn gone(&mut self, error: &RawError) {
        if error.is_connection_lost() {
            self.client = None;
        }
    }
}

/// Whether a code says that an order was not taken. Warnings are not among them; anything else is looked up.
fn refuses(code: i32) -> bool {
    /// Documented "TWS Message Codes" that an order is refused with: duplicate id, price, size and permission faults,
    /// rejections, read-only API, and refusals of fractions.
    const CODES: [i32; 18] = [
        103, 104, 105, 106, 107, 109, 110, 111, 113, 115, 116, 200, 201, 203, 321, 434, 10_243,
        10_289,
    ];
    CODES.contains(&code)
}

impl Broker for IbkrBroker {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn connect(&mut self) -> Result<Session> {
        self.client = None;
        let address = self.config.checked()?;
        let client = Client::builder()
            .address(address.to_string())
            .client_id(self.config.client_id)
            // A drop is ours to see: what happened meanwhile is asked for, and not listened for.
            .max_reconnect_attempts(0)
            .one_shot_timeout(self.timeout())
            .rate_limiter(RateLimiter::per_second(self.config.messages_per_second))
            .connect()
            .map_err(|e| self.raw_error("the handshake", &e))?;
        let accounts = client.handshake_managed_accounts();
        if let (true, [only]) = (self.config.account_id.is_empty(), accounts) {
            self.config.account_id.clone_from(only);
        }
        let expected = &self.config.account_id;
        if !accounts.iter().any(|account| account == expected) {
            return Err(Error::WrongAccount {
                expected: expected.clone(),
                found: accounts.join(", "),
            });
        }
        // Paper accounts are those whose name begins with D.
        let is_paper = expected.starts_with('D');
        if is_paper != self.config.paper {
            return Err(Error::WrongMode {
                account_id: expected.clone(),
                is_paper,
            });
        }
        self.next_order_id = self.next_order_id.max(client.next_order_id());
        self.client = Some(client);
        let prepared = self.reconcile().and_then(|()| {
            let before = wall();
            let venue = self.probe()?;
            let after = wall();
            Ok(venue.0 - (before.0 + (after.0 - before.0) / 2))
        });
        match prepared {
            Ok(clock_offset_ns) => Ok(Session {
                account_id: self.config.account_id.clone(),
                is_paper,
                clock_offset_ns,
            }),
            Err(error) => {
                self.client = None;
                Err(error)
            }
        }
    }

    fn clock(&mut self) -> Result<Timestamp> {
        self.probe()
    }

    fn account(&mut self) -> Result<Account> {
        const TAGS: [&str; 3] = ["NetLiquidation", "TotalCashValue", "BuyingPower"];
        let what = "the account";
        let group = AccountGroup("All".to_owned());
        let client = self.client()?;
        let rows = client
            .account_summary(&group, &TAGS)
            .map_err(|e| self.raw_error(what, &e))?;
        let end = Instant::now() + self.timeout();
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        loop {
            let wait = end.saturating_duration_since(Instant::now());
            match rows.next_timeout(wait) {
                Some(Ok(SubscriptionItem::Data(AccountSummaryResult::Summary(row)))) => {
                    if row.account == self.config.account_id {
                        values.insert(row.tag, row.value);
                    }
                }
                Some(Ok(SubscriptionItem::Data(AccountSummaryResult::End))) => break,
                Some(Ok(SubscriptionItem::Notice(_))) => {}
                Some(Err(error)) => return Err(self.raw_error(what, &error)),
                None => return Err(self.late(what)),
            }
        }
        let value = |tag: &str| protocol(what, convert::money(values.get(tag)));
        let cash = value("TotalCashValue")?;
        Ok(Account {
            account_id: self.config.account_id.clone(),
            currency: self.config.currency,
            equity: value("NetLiquidation")?,
            cash: protocol(what, cash.ok_or_else(|| "no cash".to_owned()))?,
            buying_power: value("BuyingPower")?,
            is_paper: self.config.paper,
            ts_event: None,
        })
    }

    fn positions(&mut self) -> Result<Vec<Position>> {
        let what = "positions";
        let client = self.client()?;
        let rows = client.positions().map_err(|e| self.raw_error(what, &e))?;
        let end = Instant::now() + self.timeout();
        let mut positions = Vec::new();
        loop {
            let wait = end.saturating_duration_since(Instant::now());
            match rows.next_timeout(wait) {
                Some(Ok(SubscriptionItem::Data(PositionUpdate::Position(row)))) => {
                    let qty = protocol(what, convert::qty(row.position))?;
                    if row.account != self.config.account_id || qty.is_zero() {
                        continue;
                    }
                    positions.push(Position {
                        account_id: row.account,
                        symbol: protocol(what, convert::symbol(&row.contract))?,
                        qty,
                        available: None,
                        avg_px: Some(protocol(what, convert::price(row.average_cost))?),
                        market_px: None,
                    });
                }
                Some(Ok(SubscriptionItem::Data(PositionUpdate::PositionEnd))) => {
                    return Ok(positions);
                }
                Some(Ok(SubscriptionItem::Notice(_))) => {}
                Some(Err(error)) => return Err(self.raw_error(what, &error)),
                None => return Err(self.late(what)),
            }
        }
    }

    fn instruments(&mut self, symbols: &[Symbol]) -> Result<Vec<Instrument>> {
        let now = self.probe()?;
        let mut instruments = Vec::new();
        let mut known = HashMap::new();
        for symbol in symbols {
            if let Some(rules) = self.ask_rules(*symbol, now, &mut known)? {
                instruments.push(rules.instrument);
                self.rules.insert(*symbol, rules);
            }
        }
        Ok(instruments)
    }

    fn quotes(&mut self, symbols: &[Symbol]) -> Result<Vec<Quote>> {
        let what = "a quote";
        let mut quotes = Vec::new();
        for symbol in symbols {
            let contract = convert::stock(*symbol, self.config.currency);
            let ticks = self
                .client()?
                .market_data(&contract)
                .snapshot_once(self.timeout())
                .map_err(|e| self.raw_error(what, &e))?;
            // A snapshot that was refused, or cut, is empty too.
            self.client()?;
            let raw = RawQuote::from_ticks(&ticks);
            let side = |price: Option<f64>| -> Result<Option<Price>> {
                // Below zero is none.
                let price = price.filter(|price| *price > 0.0);
                price
                    .map(|price| protocol(what, convert::price(price)))
                    .transpose()
            };
            let count =
                |qty: Option<f64>| qty.map(|qty| protocol(what, convert::qty(qty))).transpose();
            let (bid_px, ask_px, last_px) = (side(raw.bid)?, side(raw.ask)?, side(raw.last)?);
            if bid_px.is_none() && ask_px.is_none() && last_px.is_none() {
                continue;
            }
            quotes.push(Quote {
                symbol: *symbol,
                bid_px,
                bid_qty: count(raw.bid_size)?,
                ask_px,
                ask_qty: count(raw.ask_size)?,
                last_px,
                data_type: match raw.market_data_type {
                    Some(MarketDataType::Realtime) => Some(DataType::Live),
                    Some(MarketDataType::Frozen | MarketDataType::DelayedFrozen) => {
                        Some(DataType::Frozen)
                    }
                    Some(MarketDataType::Delayed) => Some(DataType::Delayed),
                    _ => None,
                },
                ts_event: wall(),
            });
        }
        Ok(quotes)
    }

    fn submit(&mut self, order: &NewOrder) -> Outcome {
        if let Err(denial) = self.denial(order) {
            return Outcome::Denied(denial);
        }
        let key = OrderKey::of(order);
        let contract = convert::stock(order.symbol, self.config.currency);
        let raw = convert::raw_order(order, &self.config);
        let order_id = self.next_order_id;
        let what = "an order";
        self.next_order_id += 1;
        self.sent.insert(order.client_order_id);
        let placed = match self.client() {
            Ok(client) => client.place_order(order_id, &contract, &raw),
            Err(_) => return Outcome::Denied(Denial::NotConnected),
        };
        let events = match placed {
            Ok(events) => events,
            Err(error) => {
                self.gone(&error);
                return Outcome::Unknown(self.raw_error(what, &error));
            }
        };
        let end = Instant::now() + self.timeout();
        loop {
            let wait = end.saturating_duration_since(Instant::now());
            match events.next_timeout(wait) {
                Some(Ok(SubscriptionItem::Data(PlaceOrder::OpenOrder(data)))) => {
                    // An id that started again may be another order's: ours is the one with our reference.
                    if data.order.order_ref != order.client_order_id.as_str() {
                        continue;
                    }
                    let mut orders = Orders::new();
                    if convert::add_order(&mut orders, &data, false).is_ok()
                        && let Some(known) = orders.into_values().next()
                    {
                        return Outcome::Confirmed(known.order);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(RawError::Notice(notice))) if refuses(notice.code) => {
                    self.sent.remove(&order.client_order_id);
                    return Outcome::rejected(notice.code, notice.message);
                }
                Some(Err(error)) => {
                    let doubt = self.raw_error(what, &error);
                    self.gone(&error);
                    return self.confirm(key, doubt);
                }
                None => return self.confirm(key, self.late(what)),
            }
        }
    }

    fn margin(&mut self, order: &NewOrder) -> Result<Margin> {
        self.ask_margin(order)
    }

    fn cancel(&mut self, key: OrderKey) -> Outcome {
        let what = "a cancel";
        if self.client().is_err() {
            return Outcome::Denied(Denial::NotConnected);
        }
        let found = match self.found(key) {
            Ok(found) => found,
            Err(error) => {
                return Outcome::Denied(Denial::Unprepared {
                    what: "the search for the order",
                    detail: error.to_string(),
                });
            }
        };
        let open = found.iter().find(|known| !known.order.state.is_final());
        let Some(known) =
            open.filter(|known| known.client_id == self.config.client_id && known.order_id > 0)
        else {
            return match found.into_iter().next_back() {
                Some(known) => {
                    Outcome::rejected(10_148, format!("the order is {}", known.order.state))
                }
                None => Outcome::rejected(10_147, "there is no such order of this client"),
            };
        };
        let asked = match self.client() {
            Ok(client) => client.cancel_order(known.order_id, ""),
            Err(_) => return Outcome::Denied(Denial::NotConnected),
        };
        let events = match asked {
            Ok(events) => events,
            Err(error) => {
                self.gone(&error);
                return Outcome::Unknown(self.raw_error(what, &error));
            }
        };
        let end = Instant::now() + self.timeout();
        loop {
            let wait = end.saturating_duration_since(Instant::now());
            let event = events.next_timeout(wait);
            let doubt = match event {
                Some(Ok(SubscriptionItem::Data(CancelOrder::OrderStatus(status)))) => {
                    if !convert::state(&status.status, Units::ZERO).is_final() {
                        continue;
                    }
                    self.late(what)
                }
                Some(Ok(SubscriptionItem::Notice(notice))) if notice.code == CANCELLED => {
                    self.late(what)
                }
                Some(Ok(_)) => continue,
                Some(Err(RawError::Notice(notice))) if notice.code != CANCELLED => {
                    // Too late, or not found: what it came to is in the lists.
                    return Outcome::rejected(notice.code, notice.message);
                }
                Some(Err(error)) => {
                    let doubt = self.raw_error(what, &error);
                    self.gone(&error);
                    doubt
                }
                None => return Outcome::Unknown(self.late(what)),
            };
            return match self.confirm(key, doubt) {
                Outcome::Confirmed(order) if order.state.is_final() => Outcome::Confirmed(order),
                Outcome::Confirmed(_) => Outcome::Unknown(self.late(what)),
                other => other,
            };
        }
    }

    fn order(&mut self, key: OrderKey) -> Result<Vec<Order>> {
        let found = self.found(key)?;
        Ok(found.into_iter().map(|known| known.order).collect())
    }

    fn open_orders(&mut self) -> Result<Vec<Order>> {
        let mut orders = Orders::new();
        self.add_open(&mut orders)?;
        let fills = self.executions(None)?;
        let open: Vec<i64> = orders.keys().copied().collect();
        protocol("executions", fills.complete(&mut orders))?;
        let rows = open.iter().filter_map(|perm_id| orders.remove(perm_id));
        let working = rows.filter(|known| known.order.account_id == self.config.account_id);
        let working = working.filter(|known| known.order.state.may_trade());
        Ok(working.map(|known| known.order).collect())
    }

    fn fills_since(&mut self, _: &[Symbol], since: Timestamp) -> Result<Vec<Fill>> {
        const DAY: i64 = 86_400_000_000_000;
        /// The gateway remembers a week.
        const MOST: i64 = 7;
        let days = (wall().0 - since.0)
            .div_euclid(DAY)
            .saturating_add(1)
            .clamp(0, MOST);
        // Today is what it tells without being asked for days.
        let days = i32::try_from(days).ok().filter(|days| *days > 1);
        let rows = self.executions(days)?.rows();
        Ok(rows
            .into_iter()
            .filter(|fill| fill.ts_event >= since)
            .collect())
    }
}

fn wall() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

fn protocol<T>(what: &'static str, parsed: Parsed<T>) -> Result<T> {
    parsed.map_err(|detail| Error::Protocol {
        venue: Venue::Ibkr,
        what,
        detail,
    })
}

impl Drop for IbkrBroker {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            client.disconnect();
        }
    }
}

/// An order that the gateway holds back may be sent yet.
const _: () = assert!(OrderState::Unknown.may_trade());
