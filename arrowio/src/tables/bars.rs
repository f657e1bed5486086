//! `bars`: open, high, low, close, volume and closing quote of an interval.

use nanobook::rows::{Bar, Header};
use nanobook::{Price, Qty};

use crate::column::Nanos;
use crate::table::{Columns, table};

table! {
    Bar, "bars", version 1, Header,
    {
        interval: Nanos = |row| Nanos(row.interval_ns),
        open: Option<Price> = |row| row.ohlc.map(|[open, _, _, _]| open),
        high: Option<Price> = |row| row.ohlc.map(|[_, high, _, _]| high),
        low: Option<Price> = |row| row.ohlc.map(|[_, _, low, _]| low),
        close: Option<Price> = |row| row.ohlc.map(|[_, _, _, close]| close),
        volume: Qty = |row| row.volume,
        vwap: Option<f64> = |row| row.vwap,
        trade_count: u32 = |row| row.trade_count,
        bid_px: Option<Price> = |row| row.bid_px,
        ask_px: Option<Price> = |row| row.ask_px,
    }
    |columns| {
        let interval = columns.read::<Nanos>("interval")?;
        let ohlc = ohlc(&columns)?;
        let volume = columns.read("volume")?;
        let vwap = columns.read("vwap")?;
        let trade_count = columns.read("trade_count")?;
        let bid_px = columns.read("bid_px")?;
        let ask_px = columns.read("ask_px")?;
    }
    |row, header| Self {
        header,
        interval_ns: interval[row].0,
        ohlc: ohlc[row],
        volume: volume[row],
        vwap: vwap[row],
        trade_count: trade_count[row],
        bid_px: bid_px[row],
        ask_px: ask_px[row],
    }
}

/// The four prices, all there or all null.
fn ohlc(columns: &Columns<'_>) -> crate::Result<Vec<Option<[Price; 4]>>> {
    let open = columns.read::<Option<Price>>("open")?;
    let high = columns.read::<Option<Price>>("high")?;
    let low = columns.read::<Option<Price>>("low")?;
    let close = columns.read::<Option<Price>>("close")?;
    let four = |row: usize| match (open[row], high[row], low[row], close[row]) {
        (None, None, None, None) => Ok(None),
        (Some(open), Some(high), Some(low), Some(close)) => Ok(Some([open, high, low, close])),
        _ => Err(columns.bad_row("open", row, "open, high, low and close, or four nulls")),
    };
    (0..columns.len()).map(four).collect()
}
