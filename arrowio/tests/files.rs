//! What files promise: whole or absent, the same bytes always, statistics that prune, errors that say where.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;
use std::sync::Mutex;

use ::parquet::file::metadata::ParquetMetaDataReader;
use ::parquet::file::statistics::Statistics;
use common::{Rng, Sample, rows};
use nanobook::rows::{Bar, Bbo, Depth, DepthChange, Header, Mbo, PriceLevel, SomeLevels, Trade};
use nanobook::{InstrumentId, Price, Qty, Side, Sink, Timestamp, TradeId};
use nanobook_arrow::{
    BatchWriter, DepthRow, Error, PriceType, Recorder, RecorderOptions, RowGroup, Table, TableId,
    TableOptions, ipc, parquet,
};

/// Everything in a folder, hidden files too.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn recorded(table: TableId, push: impl FnOnce(&mut dyn Sink)) -> Vec<RowGroup> {
    let options = RecorderOptions {
        tables: [table].into_iter().collect(),
        rows_per_group: Some(5000),
        ..RecorderOptions::default()
    };
    let mut groups = Vec::new();
    let mut recorder = Recorder::new(options, |group| groups.push(group));
    push(&mut recorder);
    recorder.finish();
    groups
}

#[test]
fn a_file_appears_when_it_is_finished_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("date=2020-01-30").join("part-0.parquet");
    let options = TableOptions::default();
    let batch = Bbo::batch(&rows::<Bbo>(1, 100, options), &options).unwrap();
    let mut writer = parquet::Writer::create(&path, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let folder = path.parent().unwrap();
    let during = names(folder);
    assert!(!path.exists());
    assert!(
        during
            .iter()
            .all(|name| name.starts_with('.') && !name.ends_with("parquet")),
        "{during:?}"
    );
    writer.finish(Vec::new()).unwrap();
    assert_eq!(names(folder), ["part-0.parquet"]);
}

#[test]
fn a_writer_that_is_dropped_or_fails_leaves_nothing_and_keeps_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part-0.parquet");
    std::fs::write(&path, "old").unwrap();
    let options = TableOptions::default();
    let batch = Bbo::batch(&rows::<Bbo>(1, 100, options), &options).unwrap();

    let mut writer = parquet::Writer::create(&path, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    drop(writer);
    let mut writer = ipc::Writer::create(&path, &batch.schema(), ipc::Format::File).unwrap();
    writer.write(&batch).unwrap();
    drop(writer);
    assert_eq!(names(folder.path()), ["part-0.parquet"]);

    // A stream has no footer, so this finish fails.
    let mut writer = ipc::Writer::create(&path, &batch.schema(), ipc::Format::Stream).unwrap();
    writer.write(&batch).unwrap();
    let error = writer.finish(vec![("a".into(), "b".into())]).unwrap_err();
    assert!(error.to_string().contains("part-0.parquet"), "{error}");
    assert_eq!(names(folder.path()), ["part-0.parquet"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
}

#[test]
fn an_output_that_can_not_be_made_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file").join("part-0.parquet");
    let schema = TableId::Bbo.schema(&TableOptions::default());
    let error = parquet::Writer::create(&path, &schema).err().unwrap();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

/// Writes the groups with so many threads that encode them.
fn write(path: &Path, groups: &[RowGroup], threads: usize) -> Vec<u8> {
    let schema = groups[0].table().schema(&TableOptions::default());
    let mut writer = parquet::Writer::create(path, &schema).unwrap();
    let encoder = writer.encoder();
    let next = Mutex::new(groups.iter());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(group) = next.lock().unwrap().next() else {
                        return;
                    };
                    let done_group = encoder.encode_group(group).unwrap();
                    done.lock().unwrap().push((group.index(), done_group));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    for (_, encoded) in done {
        writer.append(encoded).unwrap();
    }
    writer
        .finish(vec![("nanobook:source".into(), "x".into())])
        .unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows::<Mbo>(9, 40_000, TableOptions::default());
    let groups = recorded(TableId::Mbo, |sink| {
        for row in &rows {
            sink.mbo(row);
        }
    });
    assert_eq!(groups.len(), 8);
    let one = write(&folder.path().join("1"), &groups, 1);
    assert!(one == write(&folder.path().join("4"), &groups, 4));
    assert!(one == write(&folder.path().join("again"), &groups, 2));
    assert_eq!(
        parquet::read_rows::<Mbo>(&folder.path().join("4")).unwrap(),
        rows
    );
}

/// Rows of some books whose levels change one at a time, come and go, and shift.
fn books(seed: u64, count: u64, options: TableOptions) -> Vec<DepthRow> {
    let mut rng = Rng::new(seed, options);
    let blank = |at: u64| DepthRow {
        header: Header {
            ts_event: Timestamp(1_580_396_400_000_000_000),
            seq: 0,
            instrument_id: InstrumentId(u32::try_from(if at == 7 { 70_000 } else { at }).unwrap()),
            symbol: format!("BOOK{at}").parse().ok(),
        },
        bids: Vec::new(),
        asks: Vec::new(),
    };
    let mut last: Vec<DepthRow> = (0..40).map(blank).collect();
    let row = |seq: u64| {
        let row = &mut last[usize::try_from(rng.below(40) * rng.below(40) / 40).unwrap()];
        row.header.seq = seq;
        row.header.ts_event.0 += 1;
        if rng.below(3000) == 0 {
            row.header.symbol = format!("OTHER{}", rng.below(50)).parse().ok();
        }
        let levels = if rng.below(2) == 0 {
            &mut row.bids
        } else {
            &mut row.asks
        };
        let at = usize::try_from(rng.below(levels.len() as u64 + 1)).unwrap();
        let level = PriceLevel {
            price: Price(i64::try_from(rng.below(900)).unwrap() * 100_000_000),
            qty: Qty(100 * rng.below(50)),
            count: u32::try_from(rng.below(5)).unwrap(),
        };
        match rng.below(3) {
            0 => levels.insert(at, level),
            1 if at < levels.len() => drop(levels.remove(at)),
            _ if at < levels.len() => levels[at].qty = level.qty,
            _ => {}
        }
        levels.truncate(options.levels);
        row.clone()
    };
    (1..=count).map(row).collect()
}

/// What each row says that it changes: since the row before of its book, or, for every fifth, since an earlier one that
/// says nothing of what came between.
fn changes(rows: &[DepthRow]) -> Vec<Option<DepthChange<'_>>> {
    fn some<'a>(old: &[PriceLevel], new: &'a [PriceLevel]) -> SomeLevels<'a> {
        let differs = |rank: &usize| old.get(*rank) != new.get(*rank);
        let first = (0..new.len()).find(differs).unwrap_or(new.len());
        let end = (0..new.len()).rfind(differs).map_or(first, |last| last + 1);
        SomeLevels {
            first,
            levels: &new[first..end],
        }
    }
    let change = |at: usize| {
        let row: &DepthRow = &rows[at];
        let of_book = |before: &&DepthRow| before.header.instrument_id == row.header.instrument_id;
        let mut before = rows[..at].iter().rev().filter(of_book);
        let before = before.nth(usize::from(at.is_multiple_of(5)))?;
        Some(DepthChange {
            since: before.header.seq,
            bids: some(&before.bids, &row.bids),
            asks: some(&before.asks, &row.asks),
        })
    };
    (0..rows.len()).map(change).collect()
}

/// The bytes of a table's file: of the groups as they are, or of the arrays that they become.
fn encoded(path: &Path, groups: &[RowGroup], options: TableOptions, arrays: bool) -> Vec<u8> {
    let schema = groups[0].table().schema(&options);
    let mut writer = parquet::Writer::create(path, &schema).unwrap();
    let encoder = writer.encoder();
    for group in groups {
        let chunk = if arrays {
            encoder.encode_batches(group.batches(), group.index())
        } else {
            encoder.encode_group(group)
        };
        writer.append(chunk.unwrap()).unwrap();
    }
    writer.finish(Vec::new()).unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn rows_that_are_encoded_by_what_differs_give_the_bytes_of_arrays() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, price_type, levels, count, limit) in [
        (1, PriceType::Float, 3, 50_000, 45_003),
        (2, PriceType::Fixed, 5, 3000, 1111),
        (3, PriceType::Decimal, 2, 3000, 3000),
        (4, PriceType::Float, 30, 2000, 777),
    ] {
        let table_options = TableOptions { price_type, levels };
        let options = RecorderOptions {
            tables: [TableId::Depth].into_iter().collect(),
            table_options,
            rows_per_group: Some(limit),
        };
        let rows = books(seed, count, table_options);
        let write = |name, arrays, changes: &[Option<DepthChange<'_>>]| {
            let mut groups = Vec::new();
            let mut recorder = Recorder::new(options, |group| groups.push(group));
            for (row, change) in rows.iter().zip(changes) {
                recorder.depth(&Depth {
                    change: *change,
                    ..row.as_row()
                });
            }
            recorder.finish();
            encoded(&folder.path().join(name), &groups, table_options, arrays)
        };
        let (blank, known) = (vec![None; rows.len()], changes(&rows));
        let expected = write("arrays", true, &blank);
        assert!(expected == write("whole", false, &blank), "seed {seed}");
        assert!(expected == write("steps", false, &known), "seed {seed}");
        assert!(
            expected == write("steps' arrays", true, &known),
            "seed {seed}"
        );
    }
}

#[test]
fn the_best_levels_give_the_bytes_of_arrays() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, price_type, count, limit) in [
        (1, PriceType::Float, 60_000, 45_003),
        (2, PriceType::Fixed, 3000, 1111),
        (3, PriceType::Decimal, 3000, 3000),
    ] {
        let table_options = TableOptions {
            price_type,
            levels: 3,
        };
        let options = RecorderOptions {
            tables: [TableId::Bbo].into_iter().collect(),
            table_options,
            rows_per_group: Some(limit),
        };
        let mut groups = Vec::new();
        let mut recorder = Recorder::new(options, |group| groups.push(group));
        let pushed: Vec<Bbo> = books(seed, count, table_options)
            .into_iter()
            .map(|row| Bbo {
                header: row.header,
                bid: row.bids.first().copied(),
                ask: row.asks.first().copied(),
            })
            .collect();
        for row in &pushed {
            recorder.bbo(row);
        }
        recorder.finish();
        let write =
            |name, arrays| encoded(&folder.path().join(name), &groups, table_options, arrays);
        assert!(
            write("arrays", true) == write("levels", false),
            "seed {seed}"
        );
        let read = parquet::read_rows::<Bbo>(&folder.path().join("levels")).unwrap();
        assert!(read == pushed, "seed {seed}");
    }
}

#[test]
fn rows_that_are_kept_as_columns_give_the_bytes_of_arrays() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, price_type, count, limit) in [
        (1, PriceType::Float, 60_000, 45_003),
        (2, PriceType::Fixed, 3000, 1111),
        (3, PriceType::Decimal, 3000, 3000),
        (4, PriceType::Float, 40, 1),
    ] {
        let table_options = TableOptions {
            price_type,
            ..TableOptions::default()
        };
        let options = RecorderOptions {
            tables: [TableId::Mbo].into_iter().collect(),
            table_options,
            rows_per_group: Some(limit),
        };
        // With every value of a column now and then, with all of them, and with none.
        for all in [None, Some(true), Some(false)] {
            let mut groups = Vec::new();
            let mut recorder = Recorder::new(options, |group| groups.push(group));
            for mut row in rows::<Mbo>(seed, count, table_options) {
                row.header.symbol = row.header.symbol.or("NONE".parse().ok());
                match all {
                    None => {}
                    Some(true) => {
                        row.side = row.side.or(Some(Side::Sell));
                        row.price = row.price.or(Some(Price(0)));
                        row.qty = row.qty.or(Some(Qty(1)));
                        row.leaves_qty = row.leaves_qty.or(Some(Qty(0)));
                        row.match_id = row.match_id.or(Some(TradeId(3)));
                        row.printable = row.printable.or(Some(true));
                    }
                    Some(false) => {
                        (row.side, row.price, row.qty) = (None, None, None);
                        (row.old_order_id, row.match_id) = (None, None);
                        (row.printable, row.mpid) = (None, None);
                    }
                }
                recorder.mbo(&row);
            }
            recorder.finish();
            let write =
                |name, arrays| encoded(&folder.path().join(name), &groups, table_options, arrays);
            assert!(
                write("arrays", true) == write("columns", false),
                "seed {seed}, all {all:?}"
            );
        }
    }
}

#[test]
fn row_groups_must_come_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows::<Bbo>(2, 10_000, TableOptions::default());
    let groups = recorded(TableId::Bbo, |sink| {
        for row in &rows {
            sink.bbo(row);
        }
    });
    let schema = TableId::Bbo.schema(&TableOptions::default());
    let mut writer = parquet::Writer::create(&folder.path().join("x"), &schema).unwrap();
    let second = writer.encoder().encode_group(&groups[1]).unwrap();
    let error = writer.append(second).unwrap_err().to_string();
    assert!(
        error.ends_with("expected row group 0 next, found 1; append them in order"),
        "{error}"
    );
}

#[test]
fn rows_out_of_the_declared_order_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let options = TableOptions::default();
    let mut trades = rows::<Trade>(2, 10, options);
    let schema = Trade::schema(&options);
    let mut writer = parquet::Writer::create(&folder.path().join("x"), &schema).unwrap();
    for (at, trade) in (100..).zip(&mut trades) {
        trade.header.seq = at;
    }
    writer
        .write(&Trade::batch(&trades, &options).unwrap())
        .unwrap();
    let error = writer
        .write(&Trade::batch(&trades, &options).unwrap())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("column seq falls from 109 to 100"),
        "{error}"
    );
    trades[5].header.seq = 50;
    let error = writer
        .encoder()
        .encode(&Trade::batch(&trades, &options).unwrap(), 1)
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "column seq falls from 104 to 50; rows must be pushed in the order of the file"
    );

    // Bars are in order of time: their seq is that of the last message of the interval.
    let mut bars = rows::<Bar>(2, 2, options);
    bars[0].header.seq = 9;
    bars[1].header.seq = 5;
    bars[1].header.ts_event = Timestamp(bars[0].header.ts_event.0 + 1);
    let schema = Bar::schema(&options);
    let mut writer = parquet::Writer::create(&folder.path().join("y"), &schema).unwrap();
    writer.write(&Bar::batch(&bars, &options).unwrap()).unwrap();
    bars[1].header.ts_event = Timestamp(0);
    assert!(writer.write(&Bar::batch(&bars, &options).unwrap()).is_err());
}

#[test]
fn statistics_prune_on_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bbo.parquet");
    let rows = rows::<Bbo>(2, 30_000, TableOptions::default());
    let groups = recorded(TableId::Bbo, |sink| {
        for row in &rows {
            sink.bbo(row);
        }
    });
    write(&path, &groups, 1);
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(::parquet::file::metadata::PageIndexPolicy::Required)
        .parse_and_finish(&std::fs::File::open(&path).unwrap())
        .unwrap();
    assert_eq!(metadata.num_row_groups(), 6);
    for (index, chunk) in rows.chunks(5000).enumerate() {
        let group = metadata.row_group(index);
        let Some(Statistics::Int64(times)) = group.column(0).statistics() else {
            panic!("ts_event has no statistics");
        };
        assert_eq!(times.min_opt().copied(), Some(chunk[0].header.ts_event.0));
        assert_eq!(
            times.max_opt().copied(),
            Some(chunk[4999].header.ts_event.0)
        );
        assert!(times.min_is_exact() && times.max_is_exact());
        let sorting = group.sorting_columns().unwrap();
        assert_eq!(sorting.len(), 1);
        assert_eq!(group.schema_descr().column(1).name(), "seq");
        assert_eq!((sorting[0].column_idx, sorting[0].descending), (1, false));
        let pages = metadata.page_index_for_row_group(index);
        for column in 0..10 {
            assert!(
                pages.column_index(column).is_some(),
                "column {column} has no page statistics"
            );
            assert!(pages.offset_index(column).is_some());
        }
    }
}

#[test]
fn an_empty_table_is_a_file_with_columns_and_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let schema = TableId::Luld.schema(&TableOptions::default());
    let writer = parquet::Writer::create(&path, &schema).unwrap();
    assert_eq!(writer.finish(Vec::new()).unwrap().rows, 0);
    assert_eq!(
        parquet::read_rows::<nanobook::rows::Luld>(&path).unwrap(),
        []
    );
    assert_eq!(
        parquet::Reader::open(&path).unwrap().schema().fields(),
        schema.fields()
    );
}

fn written<T: Sample>(path: &Path, options: TableOptions) {
    let batch = T::batch(&rows::<T>(5, 50, options), &options).unwrap();
    let mut writer = parquet::Writer::create(path, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish(Vec::new()).unwrap();
}

#[test]
fn reading_another_table_names_the_file_and_both_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    written::<Trade>(&path, TableOptions::default());
    let error = parquet::read_rows::<Bbo>(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: expected table bbo, found trades", path.display())
    );
}

#[test]
fn a_column_that_is_missing_or_of_another_type_is_named() {
    let options = TableOptions::default();
    let batch = Trade::batch(&rows::<Trade>(5, 5, options), &options).unwrap();
    let some = batch.project(&[0, 1, 2, 3, 4, 6]).unwrap();
    let error = Trade::rows(&some).unwrap_err().to_string();
    assert_eq!(
        error,
        "table trades: column price is missing; found ts_event, seq, instrument_id, symbol, kind, qty"
    );

    let mut columns = batch.columns().to_vec();
    columns.swap(0, 1);
    let names = batch.schema();
    let fields = names.fields().iter().zip(&columns);
    let fields: Vec<_> = fields
        .map(|(field, column)| {
            field
                .as_ref()
                .clone()
                .with_data_type(column.data_type().clone())
        })
        .collect();
    let schema = std::sync::Arc::new(arrow_schema::Schema::new(fields));
    let swapped = arrow_array::RecordBatch::try_new(schema, columns).unwrap();
    let error = Trade::rows(&swapped).unwrap_err().to_string();
    assert_eq!(
        error,
        "table trades: column ts_event: expected Timestamp(ns, \"UTC\"), found UInt64"
    );
}

#[test]
fn a_value_that_can_not_be_is_named_with_its_row() {
    let options = TableOptions::default();
    let batch = Trade::batch(&rows::<Trade>(5, 5, options), &options).unwrap();
    let with = |name: &str, array: arrow_array::ArrayRef| {
        let mut columns = batch.columns().to_vec();
        columns[batch.schema().index_of(name).unwrap()] = array;
        let batch = arrow_array::RecordBatch::try_new(batch.schema(), columns).unwrap();
        Trade::rows(&batch).unwrap_err().to_string()
    };
    let sides = arrow_array::Int8Array::from(vec![Some(1), None, Some(-1), Some(2), None]);
    assert_eq!(
        with("side", std::sync::Arc::new(sides)),
        "table trades: column side, row 3: expected 1 or -1, found 2"
    );
    let symbols = arrow_array::StringViewArray::from(vec!["A", "B", "", "D", "E"]);
    assert_eq!(
        with("symbol", std::sync::Arc::new(symbols)),
        "table trades: column symbol, row 2: expected a symbol of 1 to 15 printable ASCII characters, found \"\""
    );
}

#[test]
fn a_batch_of_another_schema_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let options = TableOptions::default();
    let batch = Trade::batch(&rows::<Trade>(5, 5, options), &options).unwrap();
    let schema = TableId::RegSho.schema(&options);
    let path = folder.path().join("x");
    let mut writer = parquet::Writer::create(&path, &schema).unwrap();
    let error = writer.write(&batch).unwrap_err().to_string();
    assert!(
        error.starts_with("expected a batch with the columns (ts_event: "),
        "{error}"
    );
    let mut writer = ipc::Writer::create(&path, &schema, ipc::Format::File).unwrap();
    assert!(matches!(
        writer.write(&batch),
        Err(Error::WrongSchema { .. })
    ));
}

#[test]
fn damaged_files_are_errors_that_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    written::<Trade>(&path, TableOptions::default());
    let whole = std::fs::read(&path).unwrap();
    let check = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match parquet::read_rows::<Trade>(&path) {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        }
    };
    for cut in (0..whole.len()).step_by(37) {
        let error = check(&whole[..cut]).expect("a file that is cut short is no file");
        assert!(error.contains("x.parquet"), "{error}");
    }
    let mut rng = Rng::new(1, TableOptions::default());
    for _ in 0..500 {
        let mut bytes = whole.clone();
        let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
        bytes[at] ^= 1 << rng.below(8);
        if let Some(error) = check(&bytes) {
            assert!(error.contains("x.parquet"), "{error}");
        }
    }
    let missing = parquet::Reader::open(&folder.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("none: open: "), "{missing}");
    let folder_as_file = parquet::Reader::open(folder.path()).unwrap_err();
    assert!(
        folder_as_file
            .to_string()
            .contains(folder.path().to_str().unwrap())
    );
}

#[test]
fn prices_are_exact_in_every_type() {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
    let mut row = rows::<Trade>(5, 1, TableOptions::default())[0];
    for wire in [0, 1, 9_999, 10_000, 1_234_567, 2_147_483_647, u32::MAX] {
        row.price = Some(Price::from_ten_thousandths(wire));
        let column = |price_type| {
            let options = TableOptions {
                price_type,
                ..TableOptions::default()
            };
            let batch = Trade::batch(&[row], &options).unwrap();
            batch.column_by_name("price").unwrap().clone()
        };
        let text = format!("{}.{:04}", wire / 10_000, wire % 10_000);
        let float = column(PriceType::Float)
            .as_primitive::<Float64Type>()
            .value(0);
        assert_eq!(float.to_bits(), text.parse::<f64>().unwrap().to_bits());
        let decimal = column(PriceType::Decimal);
        let decimal = decimal.as_primitive::<Decimal128Type>();
        assert_eq!(decimal.value_as_string(0), format!("{text}00000"));
        let fixed = column(PriceType::Fixed)
            .as_primitive::<Int64Type>()
            .value(0);
        assert_eq!(fixed, i64::from(wire) * 100_000);
    }

    row.price = Some(Price(1_000_000_000_000_000_000));
    let options = TableOptions {
        price_type: PriceType::Decimal,
        ..TableOptions::default()
    };
    assert_eq!(
        Trade::batch(&[row], &options).unwrap_err().to_string(),
        "table trades: column price, row 0: expected a price below 1e9 (Decimal128(18, 9)); use float or fixed \
         prices, found 1000000000"
    );
}
