//! `bbo`: the best bid and ask.

use nanobook::rows::{Bbo, Header};
use nanobook::{Price, Qty};

use crate::table::table;

table! {
    Bbo, "bbo", version 1, Header,
    {
        bid_px: Option<Price> = |row| row.bid.map(|level| level.price),
        bid_qty: Option<Qty> = |row| row.bid.map(|level| level.qty),
        bid_count: Option<u32> = |row| row.bid.map(|level| level.count),
        ask_px: Option<Price> = |row| row.ask.map(|level| level.price),
        ask_qty: Option<Qty> = |row| row.ask.map(|level| level.qty),
        ask_count: Option<u32> = |row| row.ask.map(|level| level.count),
    }
    |columns| {
        let bids = columns.levels("bid", "")?;
        let asks = columns.levels("ask", "")?;
    }
    |row, header| Self { header, bid: bids[row], ask: asks[row] }
}
