//! Bindings of `nanobook_risk`: the whole account in the worst case, as far as the classic calls describe one.

mod frames;

use nanobook::trading::{
    Account, DataType, Instrument, InstrumentState, NewOrder, Position, Quote, TimeInForce, Units,
};
use nanobook::{Money, OrderKind, Price, Symbol, Timestamp};
use nanobook_risk::{Limits, Session, Situation, Subject};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::error::Error;
use crate::words::{side, symbol};

/// Units of 1e-9 in a cent.
const CENT: i64 = 10_000_000;

/// Symbol, side, quantity and price in cents.
type Order = (String, String, i64, i64);

/// Code of the check, whom it is about, outcome, and why.
type Row = (&'static str, String, &'static str, String);

/// Checks limits given as TOML, for their mistakes.
#[pyfunction]
fn check_limits(limits: &str) -> PyResult<()> {
    read(limits)?;
    Ok(())
}

fn read(limits: &str) -> Result<Limits, Error> {
    Limits::from_toml(limits).map_err(|error| Error::input(error.to_string()))
}

fn cents(value: i64) -> Result<i64, Error> {
    let found = value.checked_mul(CENT);
    found.ok_or_else(|| Error::input(format!("{value} cents are too many")))
}

fn instrument(symbol: Symbol, currency: Symbol) -> Instrument {
    Instrument {
        symbol,
        currency,
        base: None,
        tick: Price(CENT),
        lot: Units::whole(1),
        min_qty: None,
        max_qty: None,
        min_price: None,
        max_price: None,
        min_notional: None,
        max_notional: None,
        state: InstrumentState::Trading,
    }
}

/// A quote without a spread.
fn quote(symbol: Symbol, price: Price) -> Quote {
    Quote {
        symbol,
        bid_px: Some(price),
        bid_qty: None,
        ask_px: Some(price),
        ask_qty: None,
        last_px: Some(price),
        data_type: Some(DataType::Live),
        ts_event: Timestamp(0),
    }
}

/// Runs all checks of limits (TOML) over orders, positions (symbol, shares) and prices (symbol, cents).
#[pyfunction]
fn check_orders(
    limits: &str,
    orders: Vec<Order>,
    equity_cents: i64,
    positions: Vec<(String, i64)>,
    prices: Vec<(String, i64)>,
) -> PyResult<Vec<Row>> {
    let limits = read(limits)?;
    let currency = symbol("USD")?;
    let known = prices
        .iter()
        .map(|(name, price)| Ok((symbol(name)?, Price(cents(*price)?))));
    let mut known = known.collect::<Result<Vec<_>, Error>>()?;
    let mut new = Vec::new();
    for (place, (name, of_side, qty, price)) in orders.iter().enumerate() {
        let order = NewOrder {
            client_order_id: format!("check-{place}")
                .parse()
                .map_err(|_| Error::input("too many orders"))?,
            symbol: symbol(name)?,
            side: side(of_side)?,
            qty: Units::whole(*qty),
            kind: OrderKind::Limit {
                price: Price(cents(*price)?),
            },
            tif: TimeInForce::Day,
        };
        if !known.iter().any(|(other, _)| *other == order.symbol) {
            known.push((order.symbol, Price(cents(*price)?)));
        }
        new.push(order);
    }
    let held = positions.iter().map(|(name, qty)| {
        let name = symbol(name)?;
        Ok(Position {
            account_id: "account".into(),
            symbol: name,
            qty: Units::whole(*qty),
            available: None,
            avg_px: None,
            market_px: known
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, price)| *price),
        })
    });
    let held = held.collect::<Result<Vec<_>, Error>>()?;
    let equity = Money(i128::from(equity_cents) * i128::from(CENT));
    let account = Account {
        account_id: "account".into(),
        currency,
        equity: Some(equity),
        cash: equity,
        buying_power: Some(equity),
        is_paper: true,
        ts_event: None,
    };
    let quotes: Vec<Quote> = known
        .iter()
        .map(|(name, price)| quote(*name, *price))
        .collect();
    let mut names: Vec<Symbol> = known.iter().map(|(name, _)| *name).collect();
    names.extend(held.iter().map(|position| position.symbol));
    names.sort_unstable();
    names.dedup();
    let instruments: Vec<Instrument> = names
        .into_iter()
        .map(|name| instrument(name, currency))
        .collect();
    let situation = Situation {
        account: Some(&account),
        positions: Some(&held),
        working: Some(&[]),
        quotes: &quotes,
        instruments: &instruments,
        session: Session {
            kill_switch: Some(false),
            halted: Some(false),
            reduce_only: Some(false),
            market_open: Some(true),
            account_id: Some("account"),
            paper: Some(true),
            unexplained: Some(0),
            ..Session::UNKNOWN
        },
        ..Situation::new(Timestamp(0))
    };
    let report = nanobook_risk::RiskEngine::new(limits).check(&new, &situation);
    let rows = report.rows().iter().map(|row| {
        let about = match row.subject {
            Subject::Order { symbol, .. } | Subject::Position(symbol) => symbol.to_string(),
            Subject::Batch => "all orders".to_owned(),
            _ => "account".to_owned(),
        };
        (
            row.check.code(),
            about,
            row.outcome.as_str(),
            row.finding.reason.to_string(),
        )
    });
    Ok(rows.collect())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    frames::register(module)?;
    module.add_function(wrap_pyfunction!(check_limits, module)?)?;
    module.add_function(wrap_pyfunction!(check_orders, module)?)
}
