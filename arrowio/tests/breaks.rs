//! A trade that a later message voids is marked, wherever it stands by then.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;

use common::rows;
use nanobook::rows::{Header, Trade, TradeBreak};
use nanobook::{Sink, TradeId};
use nanobook_arrow::BatchWriter;
use nanobook_arrow::{
    Recorded, Recorder, RecorderOptions, RowGroup, Table, TableId, TableOptions, ipc, parquet,
};

const GROUP: usize = 50;

/// Trades with the ids 0, 10, 20 …
fn trades(count: usize) -> Vec<Trade> {
    let mut trades = rows::<Trade>(3, count, TableOptions::default());
    for (at, trade) in (0..).zip(&mut trades) {
        trade.header.seq = 2 * at;
        trade.match_id = TradeId(10 * at);
        trade.broken = false;
    }
    trades
}

fn break_of(id: u64, seq: u64) -> TradeBreak {
    let header = Header {
        seq,
        ..trades(1)[0].header
    };
    TradeBreak {
        header,
        match_id: TradeId(id),
    }
}

fn recorder<D: FnMut(RowGroup)>(deliver: D) -> Recorder<D> {
    let options = RecorderOptions {
        rows_per_group: Some(GROUP),
        ..RecorderOptions::default()
    };
    Recorder::new(options, deliver)
}

/// Pushes the trades with breaks between them, each before the trade of that ordinal.
fn record(trades: &[Trade], breaks: &[(usize, u64)], deliver: impl FnMut(RowGroup)) -> Recorded {
    let mut recorder = recorder(deliver);
    for at in 0..=trades.len() {
        for &(_, id) in breaks.iter().filter(|entry| entry.0 == at) {
            recorder.trade_break(&break_of(id, 2 * at as u64 - 1));
        }
        if let Some(trade) = trades.get(at) {
            recorder.trade(trade);
        }
    }
    recorder.finish()
}

fn write_parquet(path: &Path, trades: &[Trade], breaks: &[(usize, u64)]) -> usize {
    let schema = TableId::Trades.schema(&TableOptions::default());
    let mut writer = parquet::Writer::create(path, &schema).unwrap();
    let encoder = writer.encoder();
    let mut recorded = record(trades, breaks, |group| {
        writer
            .append(encoder.encode_group(&group).unwrap())
            .unwrap();
    });
    let writer = writer.void_trades(&mut recorded.breaks).unwrap();
    let summary = writer.finish(vec![("k".into(), "v".into())]).unwrap();
    assert_eq!(summary.rows, trades.len() as u64);
    recorded.breaks.unknown()
}

fn with_broken(trades: &[Trade], ids: &[u64]) -> Vec<Trade> {
    let mut trades = trades.to_vec();
    for trade in &mut trades {
        trade.broken = ids.contains(&trade.match_id.0);
    }
    trades
}

#[test]
fn void_trades_are_marked_in_groups_that_are_open_and_in_those_that_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trades.parquet");
    let trades = trades(4 * GROUP + 10);
    // In the open group; in the group before; in the first group; the last trade, at the very end; one that no trade
    // has, between ids and beyond them; and one that comes before its trade and so voids nothing.
    let breaks = [
        (20, 10 * 19),
        (GROUP + 5, 10 * 30),
        (3 * GROUP, 0),
        (trades.len(), 10 * (trades.len() as u64 - 1)),
        (3 * GROUP, 5),
        (3 * GROUP, 1_000_000),
        (3 * GROUP, 10 * 155),
    ];
    let unknown = write_parquet(&path, &trades, &breaks);
    assert_eq!(unknown, 3);
    let broken = [10 * 19, 10 * 30, 0, 10 * (trades.len() as u64 - 1)];
    let found = parquet::read_rows::<Trade>(&path).unwrap();
    assert_eq!(found, with_broken(&trades, &broken));

    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the file is left: {left:?}");
}

#[test]
fn a_file_that_is_written_again_is_the_file_that_earlier_breaks_would_have_made() {
    let folder = tempfile::tempdir().unwrap();
    let trades = trades(4 * GROUP);
    let [early, late] = ["early", "late"].map(|name| folder.path().join(name));
    write_parquet(&early, &trades, &[(31, 300), (GROUP + 2, 510)]);
    write_parquet(&late, &trades, &[(3 * GROUP, 300), (4 * GROUP, 510)]);
    assert!(std::fs::read(early).unwrap() == std::fs::read(late).unwrap());
}

#[test]
fn ipc_files_and_streams_are_marked_too() {
    let folder = tempfile::tempdir().unwrap();
    let trades = trades(2 * GROUP + 3);
    for (name, format) in [("a", ipc::Format::File), ("b", ipc::Format::Stream)] {
        let path = folder.path().join(name);
        let schema = TableId::Trades.schema(&TableOptions::default());
        let mut writer = ipc::Writer::create(&path, &schema, format).unwrap();
        let mut recorded = record(&trades, &[(2 * GROUP, 70), (2 * GROUP, 71)], |group| {
            writer.write(&group.batch().unwrap()).unwrap();
        });
        let writer = writer.void_trades(&mut recorded.breaks).unwrap();
        writer.finish(Vec::new()).unwrap();
        assert_eq!(recorded.breaks.unknown(), 1);
        let found = ipc::read_rows::<Trade>(&path).unwrap();
        assert_eq!(found, with_broken(&trades, &[70]));
    }
}

#[test]
fn a_batch_of_another_table_is_not_marked() {
    let mut breaks = record(&trades(3), &[(3, 10)], |_| ()).breaks;
    let bars = rows::<nanobook::rows::Bar>(1, 3, TableOptions::default());
    let batch = nanobook::rows::Bar::batch(&bars, &TableOptions::default()).unwrap();
    let error = breaks.mark_batch(&batch).unwrap_err().to_string();
    assert_eq!(error, "expected table trades, found bars");
}
