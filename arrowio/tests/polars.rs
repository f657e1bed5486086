//! Frames of Rust Polars and batches: equal values at equal addresses, both ways.
#![cfg(feature = "polars")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array,
    RecordBatch, StringArray, StringViewArray, TimestampNanosecondArray, UInt32Array,
};
use nanobook::backtest::{Config, EquityCurve, FillRows, HoldingRows, run};
use nanobook_arrow::{FrameNames, Labels, PanelFrame, ScheduleFrame, polars};
use polars_core::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit};

fn address(values: &[f64]) -> *const f64 {
    values.as_ptr()
}

fn floats<'a>(frame: &'a DataFrame, name: &str) -> &'a [f64] {
    let column = frame.column(name).unwrap();
    column.f64().unwrap().cont_slice().unwrap()
}

fn days(values: &[i64]) -> Column {
    let nanos: Vec<i64> = values.iter().map(|day| day * 86_400_000_000_000).collect();
    let column = Column::new("ts".into(), nanos);
    column
        .cast(&DataType::Datetime(TimeUnit::Nanoseconds, None))
        .unwrap()
}

fn prices() -> DataFrame {
    DataFrame::new_infer_height(vec![
        days(&[1, 2, 3]),
        Column::new("A".into(), [10.0, 11.0, 12.0]),
        Column::new("B".into(), [Some(20.0), None, Some(19.0)]),
    ])
    .unwrap()
}

#[test]
fn a_panel_and_a_schedule_stand_on_the_memory_of_polars() {
    let prices = prices();
    let (schema, batches) = polars::batches(&prices).unwrap();
    let a: &Float64Array = batches[0]["A"].as_any().downcast_ref().unwrap();
    assert_eq!(address(a.values()), address(floats(&prices, "A")));
    let names = FrameNames::default();
    let frame = PanelFrame::new(&schema, &batches, &names, &[]).unwrap();
    let panel = frame.panel().unwrap();
    assert!(panel.close().get(1, 1).is_nan());
    let weights = DataFrame::new_infer_height(vec![
        days(&[1, 3]),
        Column::new("A".into(), [0.5, 0.0]),
        Column::new("B".into(), [0.5, 1.0]),
    ])
    .unwrap();
    let (schema, batches) = polars::batches(&weights).unwrap();
    let weights = ScheduleFrame::new(&schema, &batches, &names).unwrap();
    let (mut curve, mut held, mut fills) = (
        EquityCurve::default(),
        HoldingRows::default(),
        FillRows::default(),
    );
    let config = Config {
        cash: 100.0,
        ..Config::default()
    };
    let sink = (&mut curve, (&mut held, &mut fills));
    run(&panel, &weights.schedule().unwrap(), &config, sink).unwrap();
    let labels = Labels::new(panel.times(), panel.symbols());
    let places = [
        curve.equity.as_ptr(),
        held.value.as_ptr(),
        fills.price.as_ptr(),
    ];
    let tables = [
        ("equity", labels.equity(curve).unwrap()),
        ("value", labels.holdings(held).unwrap()),
        ("price", labels.fills(fills).unwrap()),
    ];
    for ((name, batch), place) in tables.iter().zip(places) {
        let frame = polars::frame(&batch.schema(), std::slice::from_ref(batch)).unwrap();
        assert_eq!(address(floats(&frame, name)), place, "{name}");
        assert_eq!(frame.height(), batch.num_rows());
        let (_, back) = polars::batches(&frame).unwrap();
        let back: &Float64Array = back[0][*name].as_any().downcast_ref().unwrap();
        assert_eq!(address(back.values()), place, "{name} and back");
    }
    let equity = polars::frame(&tables[0].1.schema(), std::slice::from_ref(&tables[0].1)).unwrap();
    assert_eq!(floats(&equity, "equity"), [100.0, 105.0, 107.5]);
    assert_eq!(equity.column("ret").unwrap().null_count(), 1);
}

#[test]
fn every_type_of_a_table_comes_back_as_it_was() {
    let long = "a symbol that is longer than twelve bytes";
    let text = StringViewArray::from(vec![Some("A"), None, Some(long), Some("BRK.A")]);
    let ts = TimestampNanosecondArray::from(vec![1, 2, 3, i64::MAX]).with_timezone("UTC");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("ts", Arc::new(ts)),
        ("symbol", Arc::new(text)),
        (
            "side",
            Arc::new(Int8Array::from(vec![Some(1), Some(-1), None, Some(1)])),
        ),
        (
            "qty",
            Arc::new(Float64Array::from(vec![
                Some(1.0),
                None,
                Some(f64::NAN),
                Some(-0.0),
            ])),
        ),
        ("row", Arc::new(UInt32Array::from(vec![0, 1, 2, u32::MAX]))),
        ("day", Arc::new(Date32Array::from(vec![-1, 0, 1, 20_000]))),
        (
            "stale",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                None,
                Some(false),
                Some(true),
            ])),
        ),
    ];
    let whole = RecordBatch::try_from_iter(columns).unwrap();
    // A part of a batch begins in the middle of a byte of its bits.
    for batch in [
        whole.clone(),
        whole.slice(1, 3),
        whole.slice(3, 1),
        whole.slice(2, 0),
    ] {
        let frame = polars::frame(&batch.schema(), std::slice::from_ref(&batch)).unwrap();
        let (_, back) = polars::batches(&frame).unwrap();
        for (at, field) in batch.schema().fields().iter().enumerate() {
            let (one, two) = (batch.column(at), back[0].column(at));
            assert_eq!(one.data_type(), two.data_type(), "{}", field.name());
            assert_eq!(
                one.to_data().slice(0, one.len()),
                two.to_data(),
                "{}",
                field.name()
            );
        }
    }
}

#[test]
fn chunks_stay_chunks_and_keep_their_addresses() {
    let mut frame = prices();
    frame.vstack_mut(&prices().slice(1, 2)).unwrap();
    let (schema, batches) = polars::batches(&frame).unwrap();
    assert_eq!(
        batches
            .iter()
            .map(RecordBatch::num_rows)
            .collect::<Vec<_>>(),
        [3, 2]
    );
    let back = polars::frame(&schema, &batches).unwrap();
    assert!(back.equals_missing(&frame));
    let places = |frame: &DataFrame| -> Vec<*const f64> {
        let column = frame.column("A").unwrap().f64().unwrap().clone();
        let chunks = column.downcast_iter();
        chunks
            .map(|chunk| chunk.values().as_slice().as_ptr())
            .collect()
    };
    assert_eq!(places(&back), places(&frame));
    let empty = frame.clear();
    let (schema, batches) = polars::batches(&empty).unwrap();
    assert_eq!(polars::frame(&schema, &batches).unwrap().shape(), (0, 3));
    assert_eq!(polars::frame(&schema, &[]).unwrap().shape(), (0, 3));
}

#[test]
fn memory_outlives_whoever_made_it() {
    let frame = {
        let values = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("x", values)]).unwrap();
        polars::frame(&batch.schema(), &[batch]).unwrap()
    };
    let batches = polars::batches(&frame).unwrap().1;
    drop(frame);
    let values: &Float64Array = batches[0]["x"].as_any().downcast_ref().unwrap();
    assert_eq!(values.values(), &[1.0, 2.0, 3.0]);
}

#[test]
fn a_type_that_does_not_cross_is_named() {
    let lists = Series::new("lists".into(), [Series::new("".into(), [1.0, 2.0])]);
    let frame = DataFrame::new_infer_height(vec![lists.into_column()]).unwrap();
    let error = polars::batches(&frame).unwrap_err().to_string();
    assert!(
        error.starts_with("column \"lists\" is LargeList"),
        "{error}"
    );
    for (array, name) in [
        (
            Arc::new(Decimal128Array::from(vec![1])) as ArrayRef,
            "Decimal128(38, 10)",
        ),
        (Arc::new(StringArray::from(vec!["A"])) as ArrayRef, "Utf8"),
    ] {
        let batch = RecordBatch::try_from_iter([("x", array)]).unwrap();
        let error = polars::frame(&batch.schema(), &[batch])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("column \"x\" is {name}")),
            "{error}"
        );
    }
}
