//! `trades`: public prints.

use nanobook::rows::{Code, Header, Trade, TradeKind};
use nanobook::{OrderId, Price, Qty, Side, TradeId};

use crate::table::table;

table! {
    Trade, "trades", version 1, Header,
    {
        kind: TradeKind,
        price: Option<Price>,
        qty: Qty,
        side: Option<Side>,
        order_id: Option<OrderId>,
        match_id: TradeId,
        cross_type: Option<Code>,
        broken: bool,
    }
}
