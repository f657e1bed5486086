//! Rows come back as they were, from batches and from files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{PRICE_TYPES, Sample, rows};
use nanobook_arrow::{BatchWriter, Projection, TableOptions, ipc, parquet};
use proptest::prelude::*;

fn options(price_type: usize, levels: usize) -> TableOptions {
    TableOptions {
        price_type: PRICE_TYPES[price_type],
        levels,
    }
}

fn through_batch<T: Sample>(seed: u64, count: usize, options: TableOptions) {
    let rows = rows::<T>(seed, count, options);
    let batch = T::batch(&rows, &options).unwrap();
    assert_eq!(*batch.schema(), *T::schema(&options));
    assert_eq!(T::rows(&batch).unwrap(), rows, "{}", T::NAME);
}

fn through_projection<T: Sample>(seed: u64, count: usize, mask: u64, options: TableOptions) {
    let rows = rows::<T>(seed, count, options);
    let whole = T::batch(&rows, &options).unwrap();
    let places: Vec<usize> = (0..whole.num_columns())
        .filter(|at| mask >> (at % 64) & 1 == 1)
        .collect();
    let columns = Projection::of(places.iter().rev().copied().collect());
    let part = T::project(&rows, &options, &columns).unwrap();
    assert_eq!(part, whole.project(&places).unwrap(), "{}", T::NAME);
    assert_eq!(*part.schema(), *columns.schema(&whole.schema()).unwrap());
}

fn through_files<T: Sample>(seed: u64, count: usize, options: TableOptions) {
    let rows = rows::<T>(seed, count, options);
    let folder = tempfile::tempdir().unwrap();
    let schema = T::schema(&options);
    let batches: Vec<_> = rows
        .chunks(7)
        .map(|rows| T::batch(rows, &options).unwrap())
        .collect();

    let path = folder.path().join("t.parquet");
    let mut writer = parquet::Writer::create_in_order(&path, &schema, parquet::Order::Seq).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    let summary = writer
        .finish(vec![("nanobook:source".into(), "made up".into())])
        .unwrap();
    assert_eq!(summary.rows, count as u64);
    assert_eq!(summary.bytes, std::fs::metadata(&path).unwrap().len());
    let reader = parquet::Reader::open(&path).unwrap();
    assert_eq!(reader.num_rows(), count as u64);
    assert_eq!(reader.schema().fields(), schema.fields());
    let metadata = reader.metadata();
    let value = |key: &str| {
        metadata
            .iter()
            .find(|pair| pair.0 == key)
            .map(|pair| pair.1.as_str())
    };
    assert_eq!(value("nanobook:table"), Some(T::NAME));
    assert_eq!(value("nanobook:version"), Some("1"));
    assert_eq!(value("nanobook:source"), Some("made up"));
    assert_eq!(
        parquet::read_rows::<T>(&path).unwrap(),
        rows,
        "{} in Parquet",
        T::NAME
    );

    for (name, format) in [
        ("t.arrow", ipc::Format::File),
        ("t.arrows", ipc::Format::Stream),
    ] {
        let path = folder.path().join(name);
        let mut writer = ipc::Writer::create(&path, &schema, format).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        let pairs = vec![("nanobook:source".to_owned(), "made up".to_owned())];
        let footer = if format == ipc::Format::File {
            pairs
        } else {
            Vec::new()
        };
        writer.finish(footer.clone()).unwrap();
        let reader = ipc::Reader::open(&path).unwrap();
        assert_eq!(reader.schema(), schema);
        assert_eq!(reader.metadata(), footer);
        assert_eq!(
            ipc::read_rows::<T>(&path).unwrap(),
            rows,
            "{} in {name}",
            T::NAME
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_come_back_from_batches(seed: u64, count in 0_usize..60, price_type in 0_usize..3, levels in 1_usize..12) {
        for_every_table!(through_batch(seed, count, options(price_type, levels)));
    }

    #[test]
    fn a_projection_is_a_part_of_the_batch(seed: u64, count in 0_usize..30, mask: u64, levels in 1_usize..4) {
        for_every_table!(through_projection(seed, count, mask, options(0, levels)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn rows_come_back_from_files(seed: u64, count in 0_usize..40, price_type in 0_usize..3, levels in 1_usize..4) {
        for_every_table!(through_files(seed, count, options(price_type, levels)));
    }
}
