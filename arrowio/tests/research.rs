//! Tables of a backtest through files: Arrow IPC and Parquet give back what went in, with the names of the tables.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use nanobook::backtest::{
    Config, EquityCurve, EventRows, FillRows, HoldingRows, Journal, Matrix, Panel, Schedule, Stops,
    TargetRows, run,
};
use nanobook::metrics::{Basis, Metrics, drawdowns, monthly};
use nanobook::portfolio::{CostModel, PerSymbol, Portfolio};
use nanobook_arrow::{Labels, metrics_table, periods_table, sweep_table};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const DAY: i64 = 86_400_000_000_000;
const WIDTH: usize = 3;

/// Every table of a run with stops and drawdowns.
fn tables() -> Vec<(&'static str, RecordBatch)> {
    let symbols = ["A", "B", "a symbol longer than twelve bytes"].map(str::to_owned);
    let times: Vec<i64> = (0..60).map(|day| day * DAY).collect();
    let price = |at: usize| 50.0 + 10.0 * (at as f64 * 0.7).sin() + (at % WIDTH) as f64;
    let prices: Vec<f64> = (0..times.len() * WIDTH).map(price).collect();
    let panel = Panel::new(&times, &symbols, Matrix::from_rows(&prices, WIDTH).unwrap()).unwrap();
    let weights: Vec<f64> = (0..6)
        .flat_map(|row| [0.3, 0.2 + 0.05 * f64::from(row), 0.1])
        .collect();
    let weight_times: Vec<i64> = (0..6).map(|row| row * 10 * DAY).collect();
    let weights = Matrix::from_rows(&weights, WIDTH).unwrap();
    let schedule = Schedule::new(&weight_times, &symbols, weights).unwrap();
    let config = Config {
        costs: CostModel::bps(5.0),
        stops: Stops {
            trailing: PerSymbol::All(0.15),
            ..Stops::default()
        },
        // A limit that cuts orders leaves events.
        rule: nanobook::portfolio::Rule {
            max_turnover: Some(0.4),
            ..Default::default()
        },
        ..Config::default()
    };
    let (mut curve, mut held) = (EquityCurve::default(), HoldingRows::default());
    let (mut fills, mut events) = (FillRows::default(), EventRows::default());
    let (mut targets, mut journal) = (TargetRows::default(), Journal::default());
    let sink = (
        (&mut curve, (&mut held, &mut fills)),
        (&mut events, (&mut targets, &mut journal)),
    );
    run(&panel, &schedule, &config, sink).unwrap();
    let labels = Labels::new(&times, &symbols);
    let returns = curve.returns();
    let below_peak = drawdowns(&curve.equity);
    let metrics = Metrics::of(&returns, Basis::default()).unwrap();
    let numbers: Vec<(&str, f64)> = Metrics::NAMES
        .iter()
        .copied()
        .zip(metrics.values())
        .collect();
    let mut portfolio = Portfolio::new(config.cash);
    for fill in &journal.fills {
        let name = &symbols[fill.symbol];
        portfolio
            .fill(name, fill.qty, fill.price, fill.cost.commission)
            .unwrap();
    }
    let sets = vec![(
        "k".to_owned(),
        Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef,
    )];
    let sweep = [
        Ok((metrics, vec![("cost", 1.0)])),
        Err("not this one".to_owned()),
    ];
    vec![
        ("equity", labels.equity(curve).unwrap()),
        ("holdings", labels.holdings(held).unwrap()),
        ("fills", labels.fills(fills).unwrap()),
        (
            "positions",
            Labels::positions(portfolio.positions()).unwrap(),
        ),
        ("targets", labels.targets(&targets).unwrap()),
        ("stop_events", labels.stop_events(&events.stops).unwrap()),
        ("events", labels.events(&events.events).unwrap()),
        ("drawdowns", labels.drawdowns(&below_peak).unwrap()),
        ("metrics", metrics_table(&numbers).unwrap()),
        (
            "periods",
            periods_table(&monthly(&times[1..], &returns).unwrap()).unwrap(),
        ),
        ("sweep", sweep_table(sets, &sweep).unwrap()),
    ]
}

#[test]
fn tables_come_back_from_files_as_they_went() {
    for (name, batch) in tables() {
        assert!(batch.num_rows() > 0, "{name} has rows to show");
        let schema = batch.schema();
        assert_eq!(schema.metadata()["nanobook:table"], name);

        let mut bytes = Vec::new();
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(&mut bytes, &schema).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        let reader = arrow_ipc::reader::StreamReader::try_new(&bytes[..], None).unwrap();
        assert_eq!(reader.schema(), schema);
        let back: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        assert_eq!(back, std::slice::from_ref(&batch), "{name} by Arrow IPC");

        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, schema.clone(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
        assert_eq!(reader.schema(), &schema, "{name} by Parquet");
        let back: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        // The reader's batches leave the metadata to its schema.
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].columns(), batch.columns(), "{name} by Parquet");
    }
}

#[test]
fn times_and_symbols_of_whole_rows_are_shared_and_right() {
    let symbols: Vec<String> = (0..4).map(|at| format!("S{at}")).collect();
    let times: Vec<i64> = (0..20).map(|day| day * DAY).collect();
    let prices = vec![10.0; 80];
    let panel = Panel::new(&times, &symbols, Matrix::from_rows(&prices, 4).unwrap()).unwrap();
    let labels = Labels::new(&times, &symbols);
    // All names held from row 3 on; in the second case one of them is closed in row 9.
    for closes in [false, true] {
        let last = if closes {
            [0.3, 0.0, 0.3, 0.2]
        } else {
            [0.3, 0.1, 0.3, 0.2]
        };
        let weights = [[0.2; 4], last].concat();
        let weights = Matrix::from_rows(&weights, 4).unwrap();
        let schedule = Schedule::new(&[3 * DAY, 9 * DAY], &symbols, weights).unwrap();
        let mut held = HoldingRows::default();
        run(&panel, &schedule, &Config::default(), &mut held).unwrap();
        let places: Vec<(usize, usize)> = held.places.iter().collect();
        let batch = labels.holdings(held).unwrap();
        let ts: &arrow_array::TimestampNanosecondArray =
            batch["ts"].as_any().downcast_ref().unwrap();
        let symbol: &arrow_array::StringViewArray =
            batch["symbol"].as_any().downcast_ref().unwrap();
        let found = ts.values().iter().zip(symbol.iter());
        let found: Vec<(i64, &str)> = found.map(|(ts, symbol)| (*ts, symbol.unwrap())).collect();
        let expected = places
            .iter()
            .map(|(row, at)| (times[*row], symbols[*at].as_str()));
        assert_eq!(found, expected.collect::<Vec<_>>());
        assert_eq!(found.len(), if closes { 6 * 4 + 11 * 3 } else { 17 * 4 });
        assert_eq!(found[0], (3 * DAY, "S0"));
    }
}
