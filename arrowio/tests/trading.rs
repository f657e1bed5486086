//! Trading tables: rows come back as they went in, through Parquet too, and what can't be a row is named.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use std::fmt::Debug;
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int8Array, RecordBatch, StringArray};
use arrow_schema::DataType as Arrow;
use nanobook::trading::{
    Account, DataType, Fill, Instrument, InstrumentState, Liquidity, Order, OrderState, Position,
    Quote, RiskCheckRow, TimeInForce, Units,
};
use nanobook::{Money, OrderId, OrderKind, Price, Side, Symbol, Timestamp};
use nanobook_arrow::Error;
use nanobook_arrow::trading::TradingTable;
use proptest::prelude::*;

/// The largest number of 38 digits.
const MOST: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

fn symbol() -> impl Strategy<Value = Symbol> {
    "[A-Z]{1,15}".prop_map(|text| text.parse().unwrap())
}

fn units() -> impl Strategy<Value = Units> {
    (-MOST..=MOST).prop_map(Units)
}

fn price() -> impl Strategy<Value = Price> {
    any::<i64>().prop_map(Price)
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn order() -> impl Strategy<Value = Order> {
    let kind = prop_oneof![
        Just(OrderKind::Market),
        price().prop_map(|price| OrderKind::Limit { price }),
        price().prop_map(|stop| OrderKind::StopMarket { stop }),
        (price(), price()).prop_map(|(stop, price)| OrderKind::StopLimit { stop, price }),
    ];
    let ids = (
        prop::option::of("[a-zA-Z0-9_-]{1,36}"),
        prop::option::of(any::<u64>()),
        "[A-Z0-9]{0,12}",
        symbol(),
    );
    let state = (0..OrderState::ALL.len()).prop_map(|i| OrderState::ALL[i]);
    let tif = prop_oneof![
        Just(TimeInForce::Day),
        Just(TimeInForce::Gtc),
        Just(TimeInForce::Ioc),
        Just(TimeInForce::Fok)
    ];
    // What is left must have 38 digits too.
    let half = || (0..=MOST / 2).prop_map(Units);
    let rest = (
        prop::option::of(price()),
        prop::option::of(any::<i32>()),
        prop::option::of(".{0,20}"),
        prop::option::of(any::<i64>()),
    );
    (ids, side(), kind, tif, (half(), half()), state, rest).prop_map(
        |(
            (client, id, account_id, symbol),
            side,
            kind,
            tif,
            (qty, filled_qty),
            state,
            (avg_px, code, reject_text, ts),
        )| Order {
            client_order_id: client.map(|text| text.parse().unwrap()),
            order_id: id.map(OrderId),
            account_id,
            symbol,
            side,
            kind,
            tif,
            qty,
            filled_qty,
            avg_px,
            state,
            reject_code: code,
            reject_text,
            ts_event: ts.map(Timestamp),
        },
    )
}

fn returns<T: TradingTable + PartialEq + Debug>(rows: &[T]) {
    let batch = T::batch(rows).unwrap();
    assert_eq!(batch.schema(), T::schema());
    assert_eq!(T::rows(&batch).unwrap(), rows);
    // Through a file by the crate that everybody reads Parquet with.
    let mut file = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(
        bytes::Bytes::from(file),
        8_192,
    )
    .unwrap();
    let read: Vec<T> = reader
        .flat_map(|batch| T::rows(&batch.unwrap()).unwrap())
        .collect();
    assert_eq!(read, rows);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn orders_come_back(rows in prop::collection::vec(order(), 0..12)) {
        returns(&rows);
    }

    #[test]
    fn positions_come_back(rows in prop::collection::vec((symbol(), units(), prop::option::of(units()), prop::option::of(price())), 0..12)) {
        let rows: Vec<Position> = rows
            .into_iter()
            .map(|(symbol, qty, available, avg_px)| Position { account_id: "A".into(), symbol, qty, available, avg_px, market_px: None })
            .collect();
        returns(&rows);
    }
}

fn fill() -> Fill {
    Fill {
        trade_id: "0001f4e8.65a1b2c3.01.02".into(),
        client_order_id: "run-1".parse().ok(),
        order_id: Some(OrderId(7)),
        account_id: "DU1".into(),
        symbol: "BTCUSDT".parse().unwrap(),
        side: Side::Sell,
        qty: Units(10_000),
        price: Price(50_001_000_000_000),
        fee: Some(Money(-1)),
        fee_currency: "BNB".parse().ok(),
        liquidity: Some(Liquidity::Resting),
        correction: 1,
        ts_event: Timestamp(1_795_444_200_000_000_000),
    }
}

#[test]
fn the_other_tables_come_back() {
    let bare = Fill {
        client_order_id: None,
        order_id: None,
        fee: None,
        fee_currency: None,
        liquidity: None,
        ..fill()
    };
    returns(&[fill(), bare]);
    let account = Account {
        account_id: "DU1".into(),
        currency: "USD".parse().unwrap(),
        equity: None,
        cash: Money(-5),
        buying_power: Some(Money(MOST)),
        is_paper: true,
        ts_event: None,
    };
    returns(&[
        account.clone(),
        Account {
            equity: Some(Money(1)),
            is_paper: false,
            ..account
        },
    ]);
    let quote = Quote {
        symbol: "AAPL".parse().unwrap(),
        bid_px: Some(Price(1)),
        bid_qty: None,
        ask_px: None,
        ask_qty: Some(Units(3)),
        last_px: Some(Price(2)),
        data_type: Some(DataType::Delayed),
        ts_event: Timestamp(0),
    };
    returns(&[
        quote,
        Quote {
            data_type: None,
            ..quote
        },
    ]);
    let instrument = Instrument {
        symbol: "BTCUSDT".parse().unwrap(),
        currency: "USDT".parse().unwrap(),
        base: "BTC".parse().ok(),
        tick: Price(10_000_000),
        lot: Units(10_000),
        min_qty: None,
        max_qty: Some(Units(9)),
        min_price: None,
        max_price: Some(Price(8)),
        min_notional: Some(Money(5)),
        max_notional: None,
        state: InstrumentState::CancelOnly,
    };
    returns(&[instrument]);
    let check = RiskCheckRow {
        ts: Timestamp(1),
        run_id: "r".into(),
        check_code: "MAX_WEIGHT".into(),
        level: "account".into(),
        subject: "AAPL".into(),
        order_index: None,
        limit: Some(100_000_000),
        observed: None,
        unit: "ratio".into(),
        outcome: "fail".into(),
        detail: "equity is not known or not above zero".into(),
    };
    returns(&[
        RiskCheckRow {
            order_index: Some(3),
            ..check.clone()
        },
        check,
    ]);
}

#[test]
fn numbers_are_exact_decimals_and_fields_carry_their_tags() {
    let schema = Fill::schema();
    let field = schema.field_with_name("price").unwrap();
    assert_eq!(*field.data_type(), Arrow::Decimal128(38, 9));
    assert_eq!(
        field.metadata().get("fix_tag").map(String::as_str),
        Some("31")
    );
    assert_eq!(
        schema.metadata().get("nanobook:table").map(String::as_str),
        Some("fills")
    );
    let large = Position {
        account_id: "A".into(),
        symbol: "A".parse().unwrap(),
        qty: Units(MOST + 1),
        available: None,
        avg_px: None,
        market_px: None,
    };
    let error = Position::batch(&[large]).unwrap_err();
    assert!(
        matches!(&error, Error::BadValue { row: 0, column, .. } if column == "position_qty"),
        "{error}"
    );
}

fn with(batch: &RecordBatch, name: &str, array: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let at = schema.index_of(name).unwrap();
    let mut arrays = batch.columns().to_vec();
    arrays[at] = array;
    let fields = schema.fields().iter().zip(&arrays);
    let fields: Vec<_> = fields
        .map(|(field, array)| {
            field
                .as_ref()
                .clone()
                .with_data_type(array.data_type().clone())
                .with_nullable(true)
        })
        .collect();
    RecordBatch::try_new(Arc::new(arrow_schema::Schema::new(fields)), arrays).unwrap()
}

#[test]
fn what_can_not_be_a_row_is_named() {
    let batch = Fill::batch(&[fill()]).unwrap();
    let bad = |name: &str, array: ArrayRef| {
        Fill::rows(&with(&batch, name, array))
            .unwrap_err()
            .to_string()
    };
    assert!(bad("side", Arc::new(Int8Array::from(vec![2]))).contains("side"));
    assert!(
        bad(
            "symbol",
            Arc::new(StringArray::from(vec!["much too long a symbol"]))
        )
        .contains("much too long")
    );
    assert!(
        bad("liquidity", Arc::new(StringArray::from(vec!["taker"])))
            .contains("resting or aggressor")
    );
    assert!(bad("qty", Arc::new(StringArray::from(vec!["1"]))).contains("qty"));
    let huge = Decimal128Array::from(vec![MOST])
        .with_precision_and_scale(38, 9)
        .unwrap();
    assert!(bad("price", Arc::new(huge)).contains("a price"));
    let without = batch.project(&[0, 1, 2]).unwrap();
    assert!(matches!(
        Fill::rows(&without),
        Err(Error::MissingColumn { .. })
    ));
}
