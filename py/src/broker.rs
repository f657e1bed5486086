//! Bindings of `nanobook_broker`: one handle over a paper account, Interactive Brokers and Binance.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nanobook::portfolio::CostModel;
use nanobook::trading::{ClientOrderId, Instrument, NewOrder, Quote, TimeInForce, Units, decimal};
use nanobook::{Money, OrderKind, Price, Symbol, Timestamp};
use nanobook_broker::binance::{BinanceBroker, Endpoint, Signer};
use nanobook_broker::ibkr::{IbkrBroker, TradingHours};
use nanobook_broker::paper::{PaperBroker, QuoteSource, Recorded, Time};
use nanobook_broker::secret::Secret;
use nanobook_broker::{Broker, OrderKey, Outcome};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use crate::error::{Error, Kind, Place};
use crate::frame::Frame;
use crate::run;
use crate::table::Table;
use crate::trading;
use crate::words;

enum Inner {
    Paper(Box<PaperBroker>),
    Ibkr(Box<IbkrBroker>),
    Binance(Box<BinanceBroker>),
}

impl Inner {
    fn broker(&mut self) -> &mut dyn Broker {
        match self {
            Self::Paper(broker) => broker.as_mut(),
            Self::Ibkr(broker) => broker.as_mut(),
            Self::Binance(broker) => broker.as_mut(),
        }
    }
}

type Shared = Arc<Mutex<Inner>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Inner> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The quotes of another broker.
struct OfBroker {
    broker: Shared,
    connected: bool,
}

impl QuoteSource for OfBroker {
    fn until(&mut self, _: Timestamp, symbols: &[Symbol]) -> nanobook_broker::Result<Vec<Quote>> {
        let mut inner = lock(&self.broker);
        let broker = inner.broker();
        if !self.connected {
            broker.connect()?;
            self.connected = true;
        }
        let answer = broker.quotes(symbols);
        if answer
            .as_ref()
            .is_err_and(nanobook_broker::Error::is_connection_lost)
        {
            self.connected = false;
        }
        answer
    }
}

/// A connection to a venue. Calls wait without the GIL; one call at a time is made.
#[pyclass(module = "nanobook._lib.broker", frozen)]
struct Handle {
    inner: Shared,
}

/// State, order, code and words.
type Answer = (&'static str, Option<Frame>, Option<i32>, String);

fn answer(outcome: &Outcome) -> Result<Answer, Error> {
    let state = match outcome {
        Outcome::Confirmed(_) => "confirmed",
        Outcome::Rejected(_) => "rejected",
        Outcome::Denied(_) => "denied",
        Outcome::Unknown(_) => "unknown",
    };
    let order = outcome
        .order()
        .map(|order| trading::frame(std::slice::from_ref(order)));
    let (code, text) = match outcome {
        Outcome::Rejected(refusal) => (Some(refusal.code), refusal.text.clone()),
        Outcome::Denied(denial) => (None, denial.to_string()),
        Outcome::Unknown(error) => (None, error.to_string()),
        Outcome::Confirmed(order) => (None, order.state.to_string()),
    };
    Ok((state, order.transpose()?, code, text))
}

fn symbols(names: &[String]) -> Result<Vec<Symbol>, Error> {
    names.iter().map(|name| words::symbol(name)).collect()
}

fn client_order_id(id: &str) -> Result<ClientOrderId, Error> {
    id.parse()
        .map_err(|error| Error::input(format!("client_order_id {id:?}: {error}")))
}

fn key(id: &str, symbol: &str) -> Result<OrderKey, Error> {
    Ok(OrderKey {
        client_order_id: client_order_id(id)?,
        symbol: words::symbol(symbol)?,
    })
}

fn units(what: &str, text: &str) -> Result<i128, Error> {
    decimal::parse(text).map_err(|error| Error::input(format!("{what} {text:?}: {error}")))
}

fn price(what: &str, text: &str) -> Result<Price, Error> {
    decimal::price(text).map_err(|error| Error::input(format!("{what} {text:?}: {error}")))
}

fn tif(name: &str) -> Result<TimeInForce, Error> {
    match name {
        "day" => Ok(TimeInForce::Day),
        "gtc" => Ok(TimeInForce::Gtc),
        "ioc" => Ok(TimeInForce::Ioc),
        "fok" => Ok(TimeInForce::Fok),
        _ => Err(words::choice("tif", name, &["day", "gtc", "ioc", "fok"])),
    }
}

/// An order from texts: symbol, side, quantity, price (none: a market order), time in force, id.
type Texts = (String, String, String, Option<String>, String, String);

fn new_order((symbol, side, qty, limit, of_tif, id): &Texts) -> Result<NewOrder, Error> {
    let order = || {
        Ok(NewOrder {
            client_order_id: client_order_id(id)?,
            symbol: words::symbol(symbol)?,
            side: words::side(side)?,
            qty: Units(units("qty", qty)?),
            kind: match limit {
                Some(text) => OrderKind::Limit {
                    price: price("price", text)?,
                },
                None => OrderKind::Market,
            },
            tif: tif(of_tif)?,
        })
    };
    order().map_err(|error| match error {
        Error::At {
            kind,
            message,
            place,
        } => Error::At {
            kind,
            message,
            place: Place {
                symbol: Some(symbol.clone()),
                ..place
            },
        },
        other => other,
    })
}

impl Handle {
    fn of(inner: Inner) -> Self {
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// Asks a question that Ctrl-C may leave.
    fn ask<T: Send + 'static>(
        &self,
        py: Python<'_>,
        question: impl FnOnce(&mut dyn Broker) -> nanobook_broker::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let inner = Arc::clone(&self.inner);
        let answer = run::interruptible(py, move |_| question(lock(&inner).broker()))?;
        Ok(answer.map_err(Error::Broker)?)
    }
}

#[pymethods]
impl Handle {
    /// Account, whether it is paper, and the venue's clock less ours in nanoseconds.
    fn connect(&self, py: Python<'_>) -> PyResult<(String, bool, i64)> {
        let session = self.ask(py, |broker| broker.connect())?;
        Ok((
            session.account_id,
            session.is_paper,
            session.clock_offset_ns,
        ))
    }

    /// What the venue can do.
    fn capabilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inner = Arc::clone(&self.inner);
        let can = py.detach(move || lock(&inner).broker().capabilities().clone());
        let all = PyDict::new(py);
        all.set_item("venue", can.venue.as_str())?;
        all.set_item("fractional", can.fractional)?;
        all.set_item("short", can.short)?;
        all.set_item("market_orders", can.market_orders)?;
        let tifs: Vec<&str> = can.tifs.iter().map(|tif| tif.as_str()).collect();
        all.set_item("tifs", pyo3::types::PyTuple::new(py, tifs)?)?;
        all.set_item("unique_ids", can.unique_ids)?;
        all.set_item("fee_in_asset", can.fee_in_asset)?;
        all.set_item("hours", can.hours)?;
        all.set_item("margin", can.margin)?;
        all.set_item("visibility_lag_ns", can.visibility_lag_ns)?;
        Ok(all)
    }

    fn clock(&self, py: Python<'_>) -> PyResult<i64> {
        Ok(self.ask(py, |broker| broker.clock())?.0)
    }

    fn account(&self, py: Python<'_>) -> PyResult<Frame> {
        let account = self.ask(py, |broker| broker.account())?;
        Ok(trading::frame(&[account])?)
    }

    fn positions(&self, py: Python<'_>) -> PyResult<Frame> {
        let positions = self.ask(py, |broker| broker.positions())?;
        Ok(trading::frame(&positions)?)
    }

    fn instruments(&self, py: Python<'_>, names: Vec<String>) -> PyResult<Frame> {
        let symbols = symbols(&names)?;
        let rules = self.ask(py, move |broker| broker.instruments(&symbols))?;
        Ok(trading::frame(&rules)?)
    }

    fn quotes(&self, py: Python<'_>, names: Vec<String>) -> PyResult<Frame> {
        let symbols = symbols(&names)?;
        let quotes = self.ask(py, move |broker| broker.quotes(&symbols))?;
        Ok(trading::frame(&quotes)?)
    }

    fn submit(&self, py: Python<'_>, order: Texts) -> PyResult<Answer> {
        let order = new_order(&order)?;
        let inner = Arc::clone(&self.inner);
        // Not to be left half done: its outcome is waited for.
        let outcome = py.detach(move || lock(&inner).broker().submit(&order));
        Ok(answer(&outcome)?)
    }

    fn cancel(&self, py: Python<'_>, id: &str, symbol: &str) -> PyResult<Answer> {
        let key = key(id, symbol)?;
        let inner = Arc::clone(&self.inner);
        let outcome = py.detach(move || lock(&inner).broker().cancel(key));
        Ok(answer(&outcome)?)
    }

    fn margin<'py>(&self, py: Python<'py>, order: Texts) -> PyResult<Bound<'py, PyDict>> {
        let order = new_order(&order)?;
        let found = self.ask(py, move |broker| broker.margin(&order))?;
        let text = |money: Option<Money>| money.map(|money| decimal::Plain(money.0).to_string());
        let name = |symbol: Option<Symbol>| symbol.map(|symbol| symbol.to_string());
        let all = PyDict::new(py);
        all.set_item("currency", name(found.currency))?;
        all.set_item("initial_before", text(found.initial_before))?;
        all.set_item("initial_after", text(found.initial_after))?;
        all.set_item("maintenance_before", text(found.maintenance_before))?;
        all.set_item("maintenance_after", text(found.maintenance_after))?;
        all.set_item("equity_before", text(found.equity_before))?;
        all.set_item("equity_after", text(found.equity_after))?;
        all.set_item("fee", text(found.fee))?;
        all.set_item("min_fee", text(found.min_fee))?;
        all.set_item("max_fee", text(found.max_fee))?;
        all.set_item("fee_currency", name(found.fee_currency))?;
        all.set_item("warning", found.warning)?;
        Ok(all)
    }

    fn order(&self, py: Python<'_>, id: &str, symbol: &str) -> PyResult<Frame> {
        let key = key(id, symbol)?;
        let orders = self.ask(py, move |broker| broker.order(key))?;
        Ok(trading::frame(&orders)?)
    }

    fn open_orders(&self, py: Python<'_>) -> PyResult<Frame> {
        let orders = self.ask(py, |broker| broker.open_orders())?;
        Ok(trading::frame(&orders)?)
    }

    fn fills_since(&self, py: Python<'_>, names: Vec<String>, since: i64) -> PyResult<Frame> {
        let symbols = symbols(&names)?;
        let ask = move |broker: &mut dyn Broker| broker.fills_since(&symbols, Timestamp(since));
        let fills = self.ask(py, ask)?;
        Ok(trading::frame(&fills)?)
    }

    /// Lets the time of a paper account run.
    fn advance(&self, py: Python<'_>, to: i64) -> PyResult<()> {
        let inner = Arc::clone(&self.inner);
        let done = py.detach(move || match &mut *lock(&inner) {
            Inner::Paper(broker) => broker.advance(Timestamp(to)).map_err(Error::Broker),
            _ => Err(Error::input(
                "only a paper account has a clock to be advanced",
            )),
        });
        Ok(done?)
    }
}

/// Settings of a paper account as Python gives them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Paper {
    cash: String,
    account_id: String,
    currency: String,
    /// Commission in bps, for each share and at least; slippage and half-spread in bps.
    costs: [f64; 5],
    latency_ns: i64,
    depth: f64,
    short: bool,
    leverage: f64,
    sessions: Option<Vec<(i64, i64)>>,
    tick: Option<String>,
    lot: String,
    start: Option<i64>,
    path: Option<PathBuf>,
}

#[pyfunction]
#[pyo3(signature = (settings, *, quotes=None, broker=None, instruments=None))]
fn paper(
    settings: Paper,
    quotes: Option<Table>,
    broker: Option<&Bound<'_, Handle>>,
    instruments: Option<Table>,
) -> PyResult<Handle> {
    let [
        commission_bps,
        commission_per_share,
        commission_min,
        slippage_bps,
        half_spread_bps,
    ] = settings.costs;
    let rules = instruments.map(|table| trading::rows::<Instrument>(&table, &[]));
    let lot = Units(units("lot", &settings.lot)?);
    let default_rules = match &settings.tick {
        Some(tick) => Some((price("tick", tick)?, lot)),
        None => None,
    };
    let sessions = |times: &Vec<(i64, i64)>| {
        let times = times
            .iter()
            .map(|(open, close)| (Timestamp(*open), Timestamp(*close)));
        nanobook_broker::paper::Hours::Sessions(times.collect())
    };
    let config = nanobook_broker::paper::Config {
        account_id: settings.account_id,
        currency: words::symbol(&settings.currency)?,
        cash: Money(units("cash", &settings.cash)?),
        costs: CostModel {
            commission_bps,
            commission_per_share,
            commission_min,
            slippage_bps,
            half_spread_bps,
            ..CostModel::default()
        },
        latency_ns: settings.latency_ns,
        depth: settings.depth,
        short: settings.short,
        leverage: settings.leverage,
        hours: settings
            .sessions
            .as_ref()
            .map_or(nanobook_broker::paper::Hours::Always, sessions),
        default_rules,
        instruments: rules.transpose()?.unwrap_or_default(),
        time: settings
            .start
            .map_or(Time::Wall, |start| Time::Stepped(Timestamp(start))),
    };
    let mut account = match &settings.path {
        Some(path) => PaperBroker::open(config, path).map_err(Error::Broker)?,
        None => PaperBroker::new(config),
    };
    if let Some(table) = quotes {
        account = account.with_quotes(Recorded::new(trading::rows::<Quote>(&table, &[])?));
    } else if let Some(other) = broker {
        account = account.with_quotes(OfBroker {
            broker: Arc::clone(&other.get().inner),
            connected: false,
        });
    }
    Ok(Handle::of(Inner::Paper(Box::new(account))))
}

/// Settings of Interactive Brokers as Python gives them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Ibkr {
    address: String,
    client_id: i32,
    account_id: String,
    paper: bool,
    currency: String,
    fractional: bool,
    short: bool,
    hours: String,
    timeout_ms: u64,
    messages_per_second: u32,
}

#[pyfunction]
fn ibkr(settings: Ibkr) -> PyResult<Handle> {
    let hours = match settings.hours.as_str() {
        "regular" => TradingHours::Regular,
        "extended" => TradingHours::Extended,
        "any" => TradingHours::Any,
        other => {
            return Err(words::choice("hours", other, &["regular", "extended", "any"]).into());
        }
    };
    let config = nanobook_broker::ibkr::Config {
        address: settings.address,
        client_id: settings.client_id,
        paper: settings.paper,
        currency: words::symbol(&settings.currency)?,
        fractional: settings.fractional,
        short: settings.short,
        hours,
        timeout_ms: settings.timeout_ms,
        messages_per_second: settings.messages_per_second,
        ..nanobook_broker::ibkr::Config::new(&settings.account_id)
    };
    let broker = IbkrBroker::new(config).map_err(Error::Broker)?;
    Ok(Handle::of(Inner::Ibkr(Box::new(broker))))
}

/// Settings of Binance as Python gives them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Binance {
    /// A key and a secret, each as a text or a file; from the environment when there is neither.
    key: Option<String>,
    key_file: Option<PathBuf>,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    testnet: bool,
    base_url: Option<String>,
    account_id: Option<String>,
    cash_asset: String,
    assets: Option<Vec<String>>,
    own_filters: bool,
    recv_window_ms: u32,
    timeout_ms: u64,
}

fn secret(
    text: Option<String>,
    file: Option<&PathBuf>,
    variable: &'static str,
) -> Result<Secret, Error> {
    let secret = match (text, file) {
        (Some(text), _) => Ok(Secret::new(text)),
        (None, Some(file)) => Secret::from_file(file),
        (None, None) => Secret::from_env(variable),
    };
    secret.map_err(Error::Broker)
}

#[pyfunction]
fn binance(settings: Binance) -> PyResult<Handle> {
    let key = secret(settings.key, settings.key_file.as_ref(), "BINANCE_API_KEY")?;
    let signer = secret(
        settings.secret,
        settings.secret_file.as_ref(),
        "BINANCE_API_SECRET",
    )?;
    let signer = Signer::from_secret(signer).map_err(Error::Broker)?;
    let endpoint = match (&settings.base_url, settings.testnet) {
        (Some(url), true) => Endpoint::at(url).map_err(Error::Broker)?,
        (Some(_), false) => {
            let message =
                "base_url is for servers that are not the live venue; leave testnet as it is";
            return Err(Error::new(Kind::Input, message).into());
        }
        (None, true) => Endpoint::testnet(),
        (None, false) => Endpoint::live(),
    };
    let config = nanobook_broker::binance::Config {
        endpoint,
        account_id: settings.account_id,
        cash_asset: words::symbol(&settings.cash_asset)?,
        assets: match &settings.assets {
            Some(names) => Some(symbols(names)?.into_iter().collect()),
            None => None,
        },
        own_filters: settings.own_filters,
        recv_window_ms: settings.recv_window_ms,
        timeout_ms: settings.timeout_ms,
        ..nanobook_broker::binance::Config::new(key, signer)
    };
    let broker = BinanceBroker::new(config).map_err(Error::Broker)?;
    Ok(Handle::of(Inner::Binance(Box::new(broker))))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Handle>()?;
    module.add_function(wrap_pyfunction!(paper, module)?)?;
    module.add_function(wrap_pyfunction!(ibkr, module)?)?;
    module.add_function(wrap_pyfunction!(binance, module)?)
}
