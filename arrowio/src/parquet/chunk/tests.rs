//! What [`encode`] writes reads as what the Parquet crate's encoder writes, statistics and page index included.

use std::sync::Arc;

use ::parquet::arrow::ArrowSchemaConverter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use ::parquet::basic::ZstdLevel;
use ::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use arrow_array::{
    BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, RecordBatch,
    StringViewArray, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::{Field, Schema};

use super::*;

/// A file of one column and one row group, by us (`None` when it is not for us) and by the crate.
fn write(pieces: &[ArrayRef], nullable: bool, plan: Plan, own: bool) -> Option<Bytes> {
    let schema = Arc::new(Schema::new(vec![Field::new(
        "x",
        pieces[0].data_type().clone(),
        nullable,
    )]));
    let compression = Compression::ZSTD(ZstdLevel::default());
    let mut properties = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_data_page_row_count_limit(ROWS_PER_PAGE);
    if plan == Plan::Delta {
        properties = properties
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BINARY_PACKED);
    }
    let properties = properties.build();
    let parquet_schema = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(
        &mut bytes,
        parquet_schema.root_schema_ptr(),
        Arc::new(properties),
    )
    .unwrap();
    if own {
        let pieces: Vec<&ArrayRef> = pieces.iter().collect();
        let mut scratch = Scratch::new(compression).unwrap();
        let chunk = encode(&parquet_schema.column(0), &pieces, plan, &mut scratch).unwrap()?;
        let mut group = file.next_row_group().unwrap();
        chunk.append(&mut group).unwrap();
        group.close().unwrap();
    } else {
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&schema));
        let mut writer = factory.create_column_writers(0).unwrap().pop().unwrap();
        for piece in pieces {
            for leaf in compute_leaves(schema.field(0), piece).unwrap() {
                writer.write(&leaf).unwrap();
            }
        }
        let chunk = writer.close().unwrap();
        let mut group = file.next_row_group().unwrap();
        chunk.append_to_row_group(&mut group).unwrap();
        group.close().unwrap();
    }
    file.close().unwrap();
    Some(Bytes::from(bytes))
}

fn metadata(file: &Bytes) -> ParquetMetaData {
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(file)
        .unwrap()
}

fn values(file: &Bytes) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone()).unwrap();
    let reader = reader.with_batch_size(1 << 20).build().unwrap();
    reader.map(Result::unwrap).collect()
}

fn check(pieces: &[ArrayRef], nullable: bool) {
    check_plan(pieces, nullable, Plan::Dictionary);
    if *pieces[0].data_type() == DataType::UInt64 || *pieces[0].data_type() == DataType::Int64 {
        check_plan(pieces, nullable, Plan::Delta);
    }
}

fn check_plan(pieces: &[ArrayRef], nullable: bool, plan: Plan) {
    let own = write(pieces, nullable, plan, true).expect("this column is for us");
    // In one piece: the crate ends pages where pieces end.
    let arrays: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    let whole = arrow_select::concat::concat(&arrays).unwrap();
    let crates = write(&[whole], nullable, plan, false).unwrap();
    assert_eq!(values(&own), values(&crates));
    let (own, crates) = (metadata(&own), metadata(&crates));
    let (a, b) = (own.row_group(0).column(0), crates.row_group(0).column(0));
    assert_eq!(a.statistics(), b.statistics());
    assert_eq!(a.num_values(), b.num_values());
    assert_eq!(
        a.unencoded_byte_array_data_bytes(),
        b.unencoded_byte_array_data_bytes()
    );
    assert_eq!(a.page_encoding_stats_mask(), b.page_encoding_stats_mask());
    let (a, b) = (
        own.page_index_for_row_group(0),
        crates.page_index_for_row_group(0),
    );
    let rows = |index: &::parquet::file::page_index::offset_index::OffsetIndexMetaData| {
        let pages = index.page_locations().iter();
        pages.map(|page| page.first_row_index).collect::<Vec<_>>()
    };
    let (a_offsets, b_offsets) = (a.offset_index(0).unwrap(), b.offset_index(0).unwrap());
    assert_eq!(rows(a_offsets), rows(b_offsets));
    let (a, b) = (a.column_index(0).unwrap(), b.column_index(0).unwrap());
    assert_eq!(a.null_counts(), b.null_counts());
    assert_eq!(a.nan_counts(), b.nan_counts());
    assert_eq!(a.get_boundary_order(), b.get_boundary_order());
    for page in 0..usize::try_from(a.num_pages()).unwrap() {
        assert_eq!(a.is_null_page(page), b.is_null_page(page));
    }
    assert_eq!(bounds_text(a), bounds_text(b));
}

/// The bounds of the pages; the histograms of levels, which we leave out, are no part of it.
fn bounds_text(index: &::parquet::file::page_index::column_index::ColumnIndexMetaData) -> String {
    use ::parquet::file::page_index::column_index::ColumnIndexMetaData as Index;
    match index {
        Index::BOOLEAN(i) => format!("{:?} {:?}", i.min_values(), i.max_values()),
        Index::INT32(i) => format!("{:?} {:?}", i.min_values(), i.max_values()),
        Index::INT64(i) => format!("{:?} {:?}", i.min_values(), i.max_values()),
        Index::DOUBLE(i) => format!("{:?} {:?}", i.min_values(), i.max_values()),
        Index::BYTE_ARRAY(i) => {
            let all = |bounds: Vec<Option<&[u8]>>| format!("{bounds:?}");
            all(i.min_values_iter().collect()) + &all(i.max_values_iter().collect())
        }
        _ => panic!("no table has such a column"),
    }
}

/// Numbers with runs, some of them extreme.
fn numbers(seed: u64, count: usize) -> Vec<Option<u64>> {
    let mut state = seed;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let number = match next() % 20 {
            0 => Some(u64::MAX),
            1 => Some(1 << 63),
            2 => Some(0),
            3..6 => None,
            _ => Some(next() % 3000),
        };
        let run = if next() % 10 == 0 { next() % 300 } else { 1 };
        numbers.extend(std::iter::repeat_n(number, usize::try_from(run).unwrap()));
    }
    numbers.truncate(count);
    numbers
}

/// Every type of column made of the numbers.
fn columns(numbers: &[Option<u64>]) -> Vec<ArrayRef> {
    let i64s = || numbers.iter().map(|n| n.map(u64::cast_signed));
    let float = |n: u64| {
        if n == u64::MAX {
            -0.0
        } else {
            n as f64 / 10_000.0 - 0.05
        }
    };
    let decimals = i64s().map(|n| n.map(|n| i128::from(n % 1_000_000_000_000_000_000)));
    let decimals: Decimal128Array = decimals.collect();
    let texts: StringViewArray = numbers
        .iter()
        .map(|n| {
            n.map(|n| match n {
                0 => "displayed_at_price".to_owned(),
                1 => "displayed_at".to_owned(),
                2 => String::new(),
                n => format!("{}", n % 1000),
            })
        })
        .collect();
    vec![
        Arc::new(numbers.iter().copied().collect::<UInt64Array>()),
        Arc::new(i64s().collect::<arrow_array::Int64Array>()),
        Arc::new(
            numbers
                .iter()
                .map(|n| n.map(|n| n as u32))
                .collect::<UInt32Array>(),
        ),
        Arc::new(
            numbers
                .iter()
                .map(|n| n.map(|n| n as u16))
                .collect::<UInt16Array>(),
        ),
        Arc::new(
            numbers
                .iter()
                .map(|n| n.map(|n| n as i8))
                .collect::<Int8Array>(),
        ),
        Arc::new(
            numbers
                .iter()
                .map(|n| n.map(float))
                .collect::<Float64Array>(),
        ),
        Arc::new(decimals.with_precision_and_scale(18, 9).unwrap()),
        Arc::new(texts),
        Arc::new(
            numbers
                .iter()
                .map(|n| n.map(|n| n % 2 == 1))
                .collect::<BooleanArray>(),
        ),
    ]
}

#[test]
fn every_type_reads_as_the_crate_writes_it() {
    for (seed, count) in [(1, 1), (2, 7), (3, 1000), (4, ROWS_PER_PAGE), (5, 50_000)] {
        let numbers = numbers(seed, count);
        for (nulls, array) in columns(&numbers).into_iter().map(|array| (true, array)) {
            if array.null_count() == array.len() {
                continue;
            }
            // In pieces of which one begins in the middle of a byte of the bitmap.
            let cut = count / 3;
            check(&[array.slice(0, cut), array.slice(cut, count - cut)], nulls);
        }
        let dense: Vec<Option<u64>> = numbers.iter().map(|n| Some(n.unwrap_or(5))).collect();
        for array in columns(&dense) {
            check(&[Arc::clone(&array)], true);
            check(&[array], false);
        }
    }
}

#[test]
fn a_page_of_nulls_and_one_value_in_all_are_written() {
    let mut numbers = vec![None; 3 * ROWS_PER_PAGE];
    numbers[2 * ROWS_PER_PAGE + 5] = Some(7);
    for array in columns(&numbers) {
        check(&[array], true);
    }
}

#[test]
fn pages_that_rise_or_fall_say_so() {
    let rising: UInt64Array = (0..60_000).map(|n| Some(n / 10)).collect();
    let falling: UInt64Array = (0..60_000).map(|n| Some((60_000 - n) / 10)).collect();
    check(&[Arc::new(rising)], false);
    check(&[Arc::new(falling)], false);
}

#[test]
fn columns_that_are_not_for_us_are_left() {
    let left = |array: ArrayRef| assert!(write(&[array], true, Plan::Dictionary, true).is_none());
    left(Arc::new(UInt64Array::new_null(9)));
    left(Arc::new((0..200_000).map(Some).collect::<UInt64Array>()));
    left(Arc::new(Float64Array::from(vec![1.0, f64::NAN])));
    left(Arc::new(StringViewArray::from(vec![
        "begins alike, ends so",
        "begins alike, ends otherwise",
    ])));
    left(Arc::new(Date32Array::from(vec![1])));
}
