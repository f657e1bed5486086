//! Frames to panels and back: the same memory, the same numbers whichever way a frame lies, and errors with their place.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "helpers of tests are tests, and exact numbers are meant"
)]

use std::sync::Arc;

use arrow_array::types::{Int8Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, Date32Array, DictionaryArray, Float64Array, Int32Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use nanobook::backtest::{
    Config, EquityCurve, EventRows, Field, FillRows, HoldingRows, TargetRows, run,
};
use nanobook::metrics::{Basis, Metrics, drawdowns, monthly};
use nanobook::portfolio::CostModel;
use nanobook_arrow::{
    FrameError, FrameNames, Labels, PanelFrame, ScheduleFrame, metrics_table, periods_table,
    read_actions, sweep_table,
};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn days(values: &[i32]) -> ArrayRef {
    Arc::new(Date32Array::from(values.to_vec()))
}

fn panel(batches: &[RecordBatch], wanted: &[Field]) -> Result<PanelFrame, FrameError> {
    PanelFrame::new(
        &batches[0].schema(),
        batches,
        &FrameNames::default(),
        wanted,
    )
}

fn wide() -> RecordBatch {
    batch(vec![
        ("date", days(&[1, 2, 3])),
        ("A", floats(&[10.0, 11.0, 12.0])),
        ("B", floats(&[20.0, 19.0, 18.0])),
    ])
}

fn address(array: &dyn Array) -> *const u8 {
    array.to_data().buffers()[0].as_ptr()
}

#[test]
fn a_wide_frame_is_borrowed_as_it_lies() {
    let batch = wide();
    let frame = panel(std::slice::from_ref(&batch), &[]).unwrap();
    // Frames hold the arrays themselves: no copy is made on the way to the kernel.
    assert_eq!(frame.symbols(), ["A", "B"]);
    let before = Arc::strong_count(batch.column(1));
    let panel = frame.panel().unwrap();
    assert_eq!(panel.close().get(2, 1), 18.0);
    assert_eq!(Arc::strong_count(batch.column(1)), before);
}

#[test]
fn long_frames_give_the_same_panel_whichever_way_they_lie() {
    let wide = panel(&[wide()], &[]).unwrap();
    let expected = wide.panel().unwrap().close().rows_to_vec(0..3);
    let by_time = ["A", "B", "A", "B", "A", "B"];
    let by_symbol = ["A", "A", "A", "B", "B", "B"];
    let codes = |texts: &[&str]| {
        texts
            .iter()
            .map(|t| i32::from(*t == "B"))
            .collect::<Vec<_>>()
    };
    let values = Arc::new(StringArray::from(vec!["A", "B", "unused"]));
    let texts = |texts: &[&'static str; 6]| -> Vec<ArrayRef> {
        let keys = codes(texts);
        let small = keys.iter().map(|key| i8::try_from(*key).unwrap());
        let large = keys.iter().map(|key| u32::try_from(*key).unwrap());
        vec![
            Arc::new(StringArray::from(texts.to_vec())),
            Arc::new(LargeStringArray::from(texts.to_vec())),
            Arc::new(StringViewArray::from(texts.to_vec())),
            Arc::new(DictionaryArray::<Int8Type>::new(
                small.collect(),
                values.clone(),
            )),
            Arc::new(DictionaryArray::<UInt32Type>::new(
                large.collect(),
                values.clone(),
            )),
        ]
    };
    let by_time = (
        texts(&by_time),
        [1, 1, 2, 2, 3, 3],
        [10.0, 20.0, 11.0, 19.0, 12.0, 18.0],
    );
    let by_symbol = (
        texts(&by_symbol),
        [1, 2, 3, 1, 2, 3],
        [10.0, 11.0, 12.0, 20.0, 19.0, 18.0],
    );
    for (symbols, dates, closes) in [by_time, by_symbol] {
        for symbol in symbols {
            let long = batch(vec![
                ("symbol", symbol),
                ("date", days(&dates)),
                ("close", floats(&closes)),
            ]);
            for cut in [0, 1, 4] {
                // In two chunks as well as in one.
                let parts = [long.slice(0, cut), long.slice(cut, 6 - cut)];
                let frame = panel(&parts, &[]).unwrap();
                assert_eq!(frame.symbols(), ["A", "B"]);
                assert_eq!(frame.times(), wide.times());
                assert_eq!(frame.panel().unwrap().close().rows_to_vec(0..3), expected);
            }
        }
    }
}

#[test]
fn what_a_long_frame_lacks_is_missing_in_prices_and_zero_in_weights() {
    let long = |name: &str| {
        batch(vec![
            (
                "ts",
                Arc::new(TimestampMicrosecondArray::from(vec![1, 1, 2, 3])) as ArrayRef,
            ),
            (
                "symbol",
                Arc::new(StringViewArray::from(vec![
                    "A",
                    "a long name, not inline",
                    "A",
                    "A",
                ])),
            ),
            (
                name,
                Arc::new(Float64Array::from(vec![
                    Some(1.0),
                    Some(2.0),
                    None,
                    Some(4.0),
                ])),
            ),
        ])
    };
    let prices = panel(&[long("close")], &[Field::Open]).unwrap();
    let close = prices.panel().unwrap().close().rows_to_vec(0..3);
    assert_eq!(prices.times(), [1_000, 2_000, 3_000]);
    assert!(close[2].is_nan() && close[3].is_nan() && close[5].is_nan());
    let batch = long("weight");
    let weights = ScheduleFrame::new(&batch.schema(), &[batch], &FrameNames::default()).unwrap();
    let weights = weights.schedule().unwrap().weights().rows_to_vec(0..3);
    assert!(weights[2].is_nan(), "null is not absent");
    assert_eq!([weights[0], weights[3], weights[5]], [1.0, 0.0, 0.0]);
}

#[test]
fn numbers_of_other_types_are_converted_and_further_fields_found_by_name() {
    let mut frame = panel(
        &[batch(vec![
            ("date", days(&[1, 2])),
            ("A", Arc::new(Int32Array::from(vec![Some(3), None]))),
        ])],
        &[],
    )
    .unwrap();
    let open = batch(vec![("date", days(&[1, 2])), ("A", floats(&[2.5, 2.0]))]);
    let names = FrameNames::default();
    frame
        .add(Field::Open, &open.schema(), &[open], &names)
        .unwrap();
    let panel = frame.panel().unwrap();
    assert_eq!(panel.close().get(0, 0), 3.0);
    assert_eq!(panel.field(Field::Open).unwrap().get(1, 0), 2.0);
    let other = batch(vec![("date", days(&[1, 3])), ("A", floats(&[2.5, 2.0]))]);
    let error = frame
        .add(Field::High, &other.schema(), &[other], &names)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "high and prices differ in their times from row 1 on"
    );
}

#[test]
fn what_is_wrong_with_a_frame_is_said_with_its_place() {
    let says = |columns: Vec<(&str, ArrayRef)>, words: &str| {
        let frame = panel(&[batch(columns)], &[]).and_then(|frame| frame.panel().map(|_| ()));
        let text = frame.unwrap_err().to_string();
        assert!(text.contains(words), "{text:?} lacks {words:?}");
    };
    let names = |names: &[&str]| Arc::new(StringArray::from(names.to_vec())) as ArrayRef;
    let ab = names(&["A", "A", "B"]);
    let price = floats(&[1.0, 2.0, 3.0]);
    says(
        vec![("x", price.clone())],
        "prices has no column of dates or times; it has x (Float64)",
    );
    says(
        vec![("d", days(&[1, 2, 3])), ("e", days(&[1, 2, 3]))],
        "several columns of dates or times: d, e",
    );
    let null = Arc::new(Date32Array::from(vec![Some(1), None, Some(3)])) as ArrayRef;
    says(
        vec![("d", null), ("A", price.clone())],
        "column \"d\" of prices is null in row 1",
    );
    says(
        vec![("d", days(&[1, 2, 2])), ("A", price.clone())],
        "row 2 of prices has the time of the row before it, 1970-01-03",
    );
    says(
        vec![("d", days(&[1, 3, 2])), ("A", price.clone())],
        "time of row 2 of prices is 1970-01-03, after 1970-01-04",
    );
    says(
        vec![
            ("d", days(&[1, 1, 1])),
            ("symbol", ab.clone()),
            ("close", price.clone()),
        ],
        "row 1 of prices: time 1970-01-02 00:00:00 of A stands there twice",
    );
    says(
        vec![
            ("d", days(&[2, 1, 1])),
            ("symbol", ab.clone()),
            ("close", price.clone()),
        ],
        "of A comes after a later one",
    );
    says(
        vec![
            ("d", days(&[1, 2, 3])),
            ("symbol", ab.clone()),
            ("price", price.clone()),
        ],
        "prices has no column \"close\"; it has d, symbol, price",
    );
    says(
        vec![
            ("d", days(&[1, 2, 3])),
            ("symbol", ab.clone()),
            ("close", ab),
        ],
        "column \"close\" of prices is Utf8, expected a number",
    );
    says(
        vec![("d", days(&[1, 2, 3])), ("A", floats(&[1.0, 0.0, 1.0]))],
        "close of A in row 1 (1970-01-03) is 0",
    );
    says(
        vec![("d", days(&[])), ("A", floats(&[]))],
        "prices has no rows",
    );
    says(vec![("d", days(&[1]))], "prices has no symbols");
    let none = Arc::new(StringArray::from(vec![Some("A"), None, Some("B")])) as ArrayRef;
    says(
        vec![("d", days(&[1, 2, 3])), ("symbol", none), ("close", price)],
        "column \"symbol\" of prices is null in row 1",
    );
}

#[test]
fn results_are_tables_over_the_memory_that_the_kernel_filled() {
    let prices = panel(&[wide()], &[]).unwrap();
    let panel = prices.panel().unwrap();
    let weights = batch(vec![
        ("date", days(&[1, 3])),
        ("B", floats(&[0.5, 0.0])),
        ("A", floats(&[0.4, -0.2])),
    ]);
    let weights =
        ScheduleFrame::new(&weights.schema(), &[weights], &FrameNames::default()).unwrap();
    let config = Config {
        costs: CostModel::bps(5.0),
        ..Config::default()
    };
    let (mut curve, mut held, mut fills) = (
        EquityCurve::default(),
        HoldingRows::default(),
        FillRows::default(),
    );
    let (mut events, mut targets) = (EventRows::default(), TargetRows::default());
    let sink = (
        (&mut curve, &mut held),
        (&mut fills, (&mut events, &mut targets)),
    );
    run(&panel, &weights.schedule().unwrap(), &config, sink).unwrap();
    let labels = Labels::new(panel.times(), panel.symbols());
    let places = [
        curve.equity.as_ptr(),
        held.value.as_ptr(),
        fills.price.as_ptr(),
    ];
    let returns = curve.returns();
    let below_peak = drawdowns(&curve.equity);
    let equity = labels.equity(curve).unwrap();
    let held = labels.holdings(held).unwrap();
    let fills = labels.fills(fills).unwrap();
    let columns = [&equity["equity"], &held["value"], &fills["price"]];
    for (place, column) in places.iter().zip(columns) {
        assert_eq!(place.cast::<u8>(), address(column));
    }
    assert_eq!(
        (equity.num_rows(), held.num_rows(), fills.num_rows()),
        (3, 5, 4)
    );
    assert!(equity["ret"].is_null(0) && equity["ret"].is_valid(1));
    for (batch, name) in [
        (equity, "equity"),
        (held, "holdings"),
        (fills, "fills"),
        (labels.targets(&targets).unwrap(), "targets"),
        (labels.stop_events(&events.stops).unwrap(), "stop_events"),
        (labels.events(&events.events).unwrap(), "events"),
        (labels.drawdowns(&below_peak).unwrap(), "drawdowns"),
        (metrics_table(&[("sharpe", f64::NAN)]).unwrap(), "metrics"),
        (
            periods_table(&monthly(&panel.times()[1..], &returns).unwrap()).unwrap(),
            "periods",
        ),
        (Labels::positions(std::iter::empty()).unwrap(), "positions"),
    ] {
        assert_eq!(
            batch
                .schema()
                .metadata()
                .get("nanobook:table")
                .map(String::as_str),
            Some(name)
        );
    }
    let metrics = Metrics::of(&returns, Basis::default()).unwrap();
    let sets = vec![(
        "k".to_owned(),
        Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef,
    )];
    let table = sweep_table(
        sets,
        &[Ok((metrics, vec![("cost", 1.0)])), Err("no".into())],
    )
    .unwrap();
    assert!(table["sharpe"].is_valid(0) && table["sharpe"].is_null(1) && table["error"].is_null(0));
}

#[test]
fn corporate_actions_name_their_symbols() {
    let batch = batch(vec![
        ("ex_date", days(&[3, 4, 5])),
        ("symbol", Arc::new(StringArray::from(vec!["B", "Z", "A"]))),
        (
            "kind",
            Arc::new(StringArray::from(vec!["split", "split", "dividend"])),
        ),
        ("value", floats(&[2.0, 3.0, 0.5])),
    ]);
    let symbols = ["A".to_owned(), "B".to_owned()];
    let names = FrameNames::default();
    let actions = read_actions(&batch.schema(), &[batch], &names, &symbols).unwrap();
    assert_eq!(
        actions
            .iter()
            .map(|action| action.symbol)
            .collect::<Vec<_>>(),
        [1, 0]
    );
}
