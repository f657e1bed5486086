//! Answers of an exchange.

use nanobook::{Ack, Qty, Reject};
use pyo3::prelude::*;

use crate::words::{side_name, status, tif_name};

/// A trade.
#[expect(clippy::struct_field_names, reason = "the classic names")]
#[pyclass(module = "nanobook", frozen, get_all)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Trade {
    trade_id: u64,
    price: i64,
    qty: u64,
    side: Option<&'static str>,
    buy_order_id: u64,
    sell_order_id: u64,
}

impl From<&nanobook::matching::Trade> for Trade {
    fn from(trade: &nanobook::matching::Trade) -> Self {
        Self {
            trade_id: trade.id.0,
            price: trade.price.0,
            qty: trade.qty.0,
            side: trade.side.map(side_name),
            buy_order_id: trade.buy_order_id.0,
            sell_order_id: trade.sell_order_id.0,
        }
    }
}

#[pymethods]
impl Trade {
    fn __repr__(&self) -> String {
        let side = self.side.unwrap_or("auction");
        format!(
            "Trade({}: {} at {}, {side})",
            self.trade_id, self.qty, self.price
        )
    }
}

/// What became of an order.
#[pyclass(module = "nanobook", frozen, get_all)]
#[derive(Clone, Debug)]
pub(super) struct SubmitResult {
    order_id: u64,
    status: &'static str,
    filled_quantity: u64,
    resting_quantity: u64,
    cancelled_quantity: u64,
    trades: Vec<Trade>,
}

impl From<nanobook::SubmitResult> for SubmitResult {
    fn from(result: nanobook::SubmitResult) -> Self {
        Self {
            order_id: result.order_id.0,
            status: status(result.status),
            filled_quantity: result.filled.0,
            resting_quantity: result.resting.0,
            cancelled_quantity: result.cancelled.0,
            trades: result.trades.iter().map(Trade::from).collect(),
        }
    }
}

impl SubmitResult {
    pub(super) fn of(
        ack: &Ack,
        asked: Qty,
        trades: &[nanobook::matching::Trade],
        order: Option<&nanobook::Order>,
    ) -> Self {
        let cancelled = order.map_or(asked.0 - ack.filled.0 - ack.open.0, |order| {
            order.cancelled.0
        });
        let of_order =
            |t: &&nanobook::matching::Trade| t.buy_order_id == ack.id || t.sell_order_id == ack.id;
        Self {
            order_id: ack.id.0,
            status: status(ack.status),
            filled_quantity: ack.filled.0,
            resting_quantity: ack.open.0,
            cancelled_quantity: cancelled,
            trades: trades.iter().filter(of_order).map(Trade::from).collect(),
        }
    }
}

#[pymethods]
impl SubmitResult {
    fn __repr__(&self) -> String {
        format!(
            "SubmitResult(order {}, {}: {} filled, {} resting, {} cancelled, {} trades)",
            self.order_id,
            self.status,
            self.filled_quantity,
            self.resting_quantity,
            self.cancelled_quantity,
            self.trades.len()
        )
    }
}

/// What became of a cancel.
#[pyclass(module = "nanobook", frozen, get_all)]
#[derive(Clone, Debug)]
pub(super) struct CancelResult {
    success: bool,
    cancelled_quantity: u64,
    error: Option<String>,
}

impl CancelResult {
    pub(super) fn of(cancelled: Result<Qty, Reject>) -> Self {
        Self {
            success: cancelled.is_ok(),
            cancelled_quantity: cancelled.map_or(0, |qty| qty.0),
            error: cancelled.err().map(|reject| reject.to_string()),
        }
    }
}

impl From<nanobook::CancelResult> for CancelResult {
    fn from(result: nanobook::CancelResult) -> Self {
        Self {
            success: result.success,
            cancelled_quantity: result.cancelled.0,
            error: result.error.map(|reject| reject.to_string()),
        }
    }
}

#[pymethods]
impl CancelResult {
    fn __repr__(&self) -> String {
        match &self.error {
            None => format!("CancelResult({} cancelled)", self.cancelled_quantity),
            Some(error) => format!("CancelResult(refused: {error})"),
        }
    }
}

/// What became of a modify.
#[pyclass(module = "nanobook", frozen, get_all)]
#[derive(Clone, Debug)]
pub(super) struct ModifyResult {
    success: bool,
    old_order_id: u64,
    new_order_id: Option<u64>,
    cancelled_quantity: u64,
    error: Option<String>,
    trades: Vec<Trade>,
}

impl From<nanobook::ModifyResult> for ModifyResult {
    fn from(result: nanobook::ModifyResult) -> Self {
        Self {
            success: result.success,
            old_order_id: result.old_order_id.0,
            new_order_id: result.new_order_id.map(|id| id.0),
            cancelled_quantity: result.cancelled.0,
            error: result.error.map(|reject| reject.to_string()),
            trades: result.trades.iter().map(Trade::from).collect(),
        }
    }
}

impl ModifyResult {
    /// Cancelled, and entered anew.
    pub(super) fn of(old: u64, cancelled: Qty, submitted: SubmitResult) -> Self {
        Self {
            success: true,
            old_order_id: old,
            new_order_id: Some(submitted.order_id),
            cancelled_quantity: cancelled.0,
            error: None,
            trades: submitted.trades,
        }
    }

    /// Left as it was.
    pub(super) fn refused(old: u64, reject: Reject) -> Self {
        Self {
            success: false,
            old_order_id: old,
            new_order_id: None,
            cancelled_quantity: 0,
            error: Some(reject.to_string()),
            trades: Vec::new(),
        }
    }
}

#[pymethods]
impl ModifyResult {
    fn __repr__(&self) -> String {
        match (&self.error, self.new_order_id) {
            (None, Some(id)) => format!("ModifyResult(order {} is now {id})", self.old_order_id),
            (error, _) => format!("ModifyResult(refused: {})", error.as_deref().unwrap_or("")),
        }
    }
}

/// An order as the exchange knows it.
#[pyclass(module = "nanobook", frozen, get_all)]
#[derive(Clone, Debug)]
pub(super) struct Order {
    id: u64,
    side: &'static str,
    price: Option<i64>,
    stop: Option<i64>,
    original_quantity: u64,
    filled_quantity: u64,
    remaining_quantity: u64,
    status: &'static str,
    time_in_force: &'static str,
    owner: Option<u32>,
    parent: Option<u64>,
    child: Option<u64>,
}

impl From<nanobook::Order> for Order {
    fn from(order: nanobook::Order) -> Self {
        Self {
            id: order.id.0,
            side: side_name(order.side),
            price: order.kind.price().map(|price| price.0),
            stop: order.kind.stop().map(|price| price.0),
            original_quantity: order.qty.0,
            filled_quantity: order.filled.0,
            remaining_quantity: order.open.0,
            status: status(order.status),
            time_in_force: tif_name(order.tif),
            owner: order.owner.map(|owner| owner.0),
            parent: order.parent.map(|id| id.0),
            child: order.child.map(|id| id.0),
        }
    }
}

#[pymethods]
impl Order {
    fn __repr__(&self) -> String {
        format!(
            "Order({}: {} {} of {} left, {})",
            self.id, self.side, self.remaining_quantity, self.original_quantity, self.status
        )
    }
}

/// What taking a quantity would cost.
#[pyclass(module = "nanobook", frozen, get_all)]
#[derive(Clone, Debug)]
pub(super) struct Cost {
    qty: u64,
    notional: i128,
    worst_price: Option<i64>,
}

impl From<nanobook::matching::Cost> for Cost {
    fn from(cost: nanobook::matching::Cost) -> Self {
        Self {
            qty: cost.qty.0,
            notional: cost.notional.0,
            worst_price: cost.worst_px.map(|price| price.0),
        }
    }
}

#[pymethods]
impl Cost {
    #[getter]
    fn vwap(&self) -> Option<f64> {
        (self.qty > 0).then(|| self.notional as f64 / self.qty as f64)
    }

    fn __repr__(&self) -> String {
        format!("Cost({} for {})", self.qty, self.notional)
    }
}
