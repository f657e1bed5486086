//! A table sorted by symbol is the stable sort of its rows, in row groups that symbols prune.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;

use ::parquet::file::metadata::ParquetMetaDataReader;
use ::parquet::file::statistics::Statistics;
use common::{Sample, rows};
use nanobook::rows::{Bbo, Header, SystemEvent};
use nanobook::{InstrumentId, Symbol};
use nanobook_arrow::sorted::{SortedBatch, Sorter};
use nanobook_arrow::{DepthRow, TableOptions, parquet};
use proptest::prelude::*;

fn by_symbol(header: &Header) -> (bool, Option<Symbol>) {
    (header.symbol.is_none(), header.symbol)
}

fn write<T: Sample>(path: &Path, rows: &[T], batch: usize, group: usize) -> Vec<usize> {
    let options = TableOptions::default();
    let schema = T::schema(&options);
    let mut sorter = Sorter::create(path, &schema, group).unwrap();
    for rows in rows.chunks(batch) {
        let batch = T::batch(rows, &options).unwrap();
        sorter.push(SortedBatch::new(&batch).unwrap()).unwrap();
    }
    let mut writer =
        parquet::Writer::create_in_order(path, &schema, parquet::Order::Symbol).unwrap();
    let encoder = writer.encoder();
    let mut sizes = Vec::new();
    for (index, group) in sorter.finish().unwrap().enumerate() {
        let group = group.unwrap();
        sizes.push(group.num_rows());
        writer
            .append(encoder.encode(&group, index).unwrap())
            .unwrap();
    }
    writer.finish(Vec::new()).unwrap();
    sizes
}

fn check<T: Sample>(
    header: impl Fn(&T) -> Header,
    seed: u64,
    count: usize,
    batch: usize,
    group: usize,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part-0.parquet");
    let mut rows = rows::<T>(seed, count, TableOptions::default());
    let sizes = write(&path, &rows, batch, group);
    rows.sort_by_key(|row| by_symbol(&header(row)));
    assert_eq!(parquet::read_rows::<T>(&path).unwrap(), rows);
    assert!(
        sizes.iter().all(|&size| size > 0 && size <= group),
        "{sizes:?}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_file_is_the_stable_sort_of_the_rows(
        seed: u64,
        count in 0_usize..500,
        batch in 1_usize..200,
        group in 1_usize..200,
    ) {
        check::<Bbo>(|row| row.header, seed, count, batch, group);
        check::<DepthRow>(|row| row.header, seed, count.min(50), batch, group);
    }
}

#[test]
fn rows_about_the_whole_market_keep_their_order() {
    let without_symbol = |row: &SystemEvent| Header {
        ts_event: row.header.ts_event,
        seq: row.header.seq,
        instrument_id: InstrumentId(0),
        symbol: None,
    };
    check(without_symbol, 5, 300, 70, 100);
}

#[test]
fn runs_of_more_than_one_spilled_batch_are_merged() {
    check::<Bbo>(|row| row.header, 5, 12_000, 5000, 3000);
}

#[test]
fn the_bytes_do_not_depend_on_how_rows_were_batched() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows::<Bbo>(4, 3000, TableOptions::default());
    let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
    write(&a, &rows, 3000, 700);
    write(&b, &rows, 111, 700);
    assert!(std::fs::read(a).unwrap() == std::fs::read(b).unwrap());
}

#[test]
fn statistics_prune_on_symbol() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let mut rows = rows::<Bbo>(4, 20_000, TableOptions::default());
    for (at, row) in rows.iter_mut().enumerate() {
        row.header.symbol = format!("S{:03}", at % 200).parse().ok();
    }
    write(&path, &rows, 4000, 2000);
    let file = std::fs::File::open(&path).unwrap();
    let metadata = ParquetMetaDataReader::new()
        .parse_and_finish(&file)
        .unwrap();
    assert_eq!(metadata.num_row_groups(), 10);
    let mut holding = 0;
    for group in metadata.row_groups() {
        let Some(Statistics::ByteArray(symbols)) = group.column(3).statistics() else {
            panic!("symbol has no statistics");
        };
        let range = symbols.min_opt().unwrap().data()..=symbols.max_opt().unwrap().data();
        holding += usize::from(range.contains(&b"S077".as_slice()));
        let sorting: Vec<i32> = group
            .sorting_columns()
            .unwrap()
            .iter()
            .map(|c| c.column_idx)
            .collect();
        assert_eq!(sorting, [3, 1]);
    }
    assert_eq!(holding, 1);
}

#[test]
fn a_sorter_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let options = TableOptions::default();
    let batch =
        <Bbo as nanobook_arrow::Table>::batch(&rows::<Bbo>(1, 100, options), &options).unwrap();
    let mut sorter = Sorter::create(&path, &batch.schema(), 10).unwrap();
    sorter.push(SortedBatch::new(&batch).unwrap()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(sorter);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut sorter = Sorter::create(&path, &batch.schema(), 10).unwrap();
    sorter.push(SortedBatch::new(&batch).unwrap()).unwrap();
    let mut groups = sorter.finish().unwrap();
    assert_eq!(groups.next().unwrap().unwrap().num_rows(), 10);
    drop(groups);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_batch_without_symbols_can_not_be_sorted() {
    let options = TableOptions::default();
    let batch =
        <Bbo as nanobook_arrow::Table>::batch(&rows::<Bbo>(1, 5, options), &options).unwrap();
    let error = SortedBatch::new(&batch.project(&[0, 1, 2]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("column symbol"), "{error}");
}
