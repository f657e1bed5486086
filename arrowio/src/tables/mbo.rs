//! `mbo`: order messages.

use nanobook::rows::{Action, Code, Header, Mbo};
use nanobook::{OrderId, Price, Qty, Side, TradeId};

use crate::table::table;

table! {
    Mbo, "mbo", version 1, Header,
    {
        action: Action,
        side: Option<Side>,
        price: Option<Price>,
        qty: Option<Qty>,
        order_id: OrderId,
        old_order_id: Option<OrderId>,
        leaves_qty: Option<Qty>,
        match_id: Option<TradeId>,
        printable: Option<bool>,
        mpid: Option<Code>,
    }
}
