//! Targets of every kind of file, and every mistake in them.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]
#![allow(
    clippy::float_cmp,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::print_stderr,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "numbers that are exact, texts that are small, and names of what is compared"
)]

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use nanobook::Timestamp;
use nanobook_arrow::{BatchWriter, ipc};
use nanobook_rebalance::targets::{
    Checks, Place, Problem, Restriction, Shorts, TargetError, Targets, read,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use tempfile::TempDir;

const DAY: i64 = 86_400_000_000_000;
/// 2026-11-20.
const FRIDAY: i32 = 20_777;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn text(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn parquet(&self, columns: Vec<(&str, ArrayRef)>, compression: Compression) -> PathBuf {
        let path = self.0.path().join("weights.parquet");
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(&path).unwrap();
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    }
}

fn csv(text: &str) -> Result<Vec<Targets>, TargetError> {
    read(&Files::new().text("weights.csv", text))
}

fn checks() -> Checks {
    Checks {
        now: Timestamp(i64::from(FRIDAY) * DAY + DAY / 2),
        max_age_s: Some(96 * 3_600),
        max_weight_sum: 1.0,
        short: Shorts::Refuse,
    }
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn doubles(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn dates(values: &[i32]) -> ArrayRef {
    Arc::new(Date32Array::from(values.to_vec()))
}

#[test]
fn the_same_targets_are_the_same_however_they_are_written() {
    let files = Files::new();
    let columns = || {
        vec![
            ("as_of", dates(&[FRIDAY - 7, FRIDAY, FRIDAY])),
            ("symbol", strings(&["OLD", "SPY", "TLT"])),
            ("weight", doubles(&[1.0, 0.6, 0.4])),
        ]
    };
    let long = "as_of,symbol,weight\n2026-11-13,OLD,1\n2026-11-20,SPY,0.6\n2026-11-20,TLT,0.4\n";
    let wide = "date,TLT,SPY\n2026-11-13,1,0\n2026-11-20,0.4,0.6\n";
    let json = r#"{"timestamp": "2026-11-20T00:00:00Z", "metadata": {"id": "x"},
        "targets": [{"symbol": "TLT", "weight": 0.4}, {"symbol": "SPY", "weight": 0.6}]}"#;
    let rows = r#"[{"as_of": "2026-11-20", "symbol": "SPY", "weight": 0.6},
        {"as_of": "2026-11-20", "symbol": "TLT", "weight": 0.4}]"#;
    let mut ids = vec![
        read(&files.text("a.csv", long)).unwrap()[0].id(),
        read(&files.text("b.csv", wide)).unwrap()[0].id(),
        read(&files.text("target.json", json)).unwrap()[0].id(),
        read(&files.text("rows.json", rows)).unwrap()[0].id(),
    ];
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        ids.push(read(&files.parquet(columns(), compression)).unwrap()[0].id());
    }
    for format in [ipc::Format::File, ipc::Format::Stream] {
        let path = files.0.path().join("weights.arrow");
        let batch = RecordBatch::try_from_iter(columns()).unwrap();
        let mut writer = ipc::Writer::create(&path, &batch.schema(), format).unwrap();
        writer.write(&batch).unwrap();
        writer.finish(Vec::new()).unwrap();
        ids.push(read(&path).unwrap()[0].id());
    }
    let wide = vec![
        ("as_of", dates(&[FRIDAY - 7, FRIDAY])),
        ("SPY", doubles(&[0.0, 0.6])),
        ("TLT", doubles(&[1.0, 0.4])),
    ];
    ids.push(read(&files.parquet(wide, Compression::SNAPPY)).unwrap()[0].id());
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let other = "as_of,symbol,weight\n2026-11-20,SPY,0.6\n2026-11-20,TLT,0.41\n";
    assert_ne!(csv(other).unwrap()[0].id(), ids[0]);
}

#[test]
fn bounds_restrictions_and_accounts_are_read() {
    let text = "\u{feff}as_of,account_id,symbol,weight,min_weight,max_weight,restrict\r\n\
        2026-11-20,U2,SPY,0.5,0.45,0.55,\r\n\
        2026-11-20,U1,\"BRK B\",0.2,,,no_trade\r\n\
        2026-11-19,U1,NAN,0.1,,,\r\n\
        2026-11-20,U1,INF,0.3,,,sell_only\r\n\r\n";
    let targets = csv(text).unwrap();
    assert_eq!(targets.len(), 2);
    assert_eq!(targets[0].account_id.as_deref(), Some("U1"));
    let names: Vec<&str> = targets[0]
        .rows
        .iter()
        .map(|row| row.symbol.as_str())
        .collect();
    assert_eq!(names, ["BRK B", "INF"], "only the latest rows count");
    assert_eq!(targets[0].rows[0].restrict, Restriction::NoTrade);
    assert_eq!(targets[0].rows[1].restrict, Restriction::SellOnly);
    let spy = targets[1].rows[0];
    assert_eq!((spy.min_weight, spy.max_weight), (Some(0.45), Some(0.55)));
    assert_eq!(spy.place, Place::Line(2));
}

#[test]
fn numbers_of_other_types_and_categories_are_taken() {
    let files = Files::new();
    let symbols = strings(&["A", "B"]);
    let category = arrow_cast::cast(
        &symbols,
        &arrow_schema::DataType::Dictionary(
            Box::new(arrow_schema::DataType::Int32),
            Box::new(arrow_schema::DataType::Utf8),
        ),
    )
    .unwrap();
    let times = TimestampMicrosecondArray::from(vec![i64::from(FRIDAY) * DAY / 1_000; 2]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("as_of", Arc::new(times.with_timezone("UTC"))),
        ("symbol", category),
        ("weight", Arc::new(Float32Array::from(vec![0.5, 0.25]))),
    ];
    let targets = read(&files.parquet(columns, Compression::SNAPPY)).unwrap();
    assert_eq!(targets[0].as_of, Some(Timestamp(i64::from(FRIDAY) * DAY)));
    assert_eq!(targets[0].weight_sum(), 0.75);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("as_of", dates(&[FRIDAY])),
        ("symbol", strings(&["A"])),
        ("weight", Arc::new(Int64Array::from(vec![1]))),
    ];
    let targets = read(&files.parquet(columns, Compression::SNAPPY)).unwrap();
    assert_eq!(targets[0].rows[0].weight, 1.0);
}

/// A file, what its message must hold: the place, the symbol, and a word of what to do.
#[test]
fn every_mistake_is_named_with_its_place_and_what_to_do() {
    let head = "as_of,symbol,weight\n";
    let cases: &[(&str, String, &[&str])] = &[
        ("w.csv", format!("{head}2026-11-20,SPY,nan\n"), &["line 2", "SPY", "NaN", "write 0"]),
        ("w.csv", format!("{head}2026-11-20,SPY,-inf\n"), &["line 2", "SPY", "-inf"]),
        ("w.csv", format!("{head}2026-11-20,SPY,\n"), &["line 2", "SPY", "missing", "write 0"]),
        ("w.csv", format!("{head}2026-11-20,SPY,12%\n"), &["line 2", "weight", "12%", "a number"]),
        (
            "w.csv",
            format!("{head}2026-11-20,SPY,0.1\n2026-11-20,TLT,0.1\n2026-11-20,SPY,0.2\n"),
            &["line 4", "SPY", "line 2", "leave one of them out"],
        ),
        ("w.csv", format!("{head}2026-11-20,S\u{e9},0.1\n"), &["line 2", "is no symbol"]),
        ("w.csv", format!("{head}2026-11-20,ABCDEFGHIJKLMNOPQ,0.1\n"), &["line 2", "15 characters"]),
        ("w.csv", format!("{head}2026-11-20,,0.1\n"), &["line 2", "is no symbol"]),
        ("w.csv", format!("{head}yesterday,SPY,0.1\n"), &["line 2", "yesterday", "2026-11-20"]),
        ("w.csv", format!("{head},SPY,0.1\n"), &["line 2", "as_of is missing"]),
        ("w.csv", format!("{head}2026-11-20,SPY,0.1,0.2\n"), &["line 2", "4 cells", "3"]),
        ("w.csv", format!("{head}2026-11-20,\"SPY,0.1\n"), &["line 2", "quote is not closed"]),
        ("w.csv", head.to_owned(), &["no targets", "weight 0"]),
        ("w.csv", String::new(), &["no targets"]),
        ("w.csv", " \n\n".to_owned(), &["no targets"]),
        ("w.csv", "as_of,symbol,wieght\n2026-11-20,A,1\n".to_owned(), &["wieght", "not known"]),
        ("w.csv", "as_of,symbol\n2026-11-20,A\n".to_owned(), &["no column \"weight\""]),
        ("w.csv", "as_of,ticker,weight\n2026-11-20,A,1\n".to_owned(), &["no column \"symbol\""]),
        ("w.csv", "as_of,A,A\n2026-11-20,1,0\n".to_owned(), &["\"A\"", "twice"]),
        (
            "w.csv",
            "as_of,symbol,weight,min_weight\n2026-11-20,A,0.1,0.2\n".to_owned(),
            &["line 2", "A", "0.1", "0.2", "bounds"],
        ),
        (
            "w.csv",
            "as_of,symbol,weight,max_weight\n2026-11-20,A,0.1,nan\n".to_owned(),
            &["line 2", "A", "bounds"],
        ),
        (
            "w.csv",
            "as_of,symbol,weight,restrict\n2026-11-20,A,0.1,hold\n".to_owned(),
            &["line 2", "A", "hold", "no_trade"],
        ),
        (
            "w.csv",
            "account_id,symbol,weight\nU1,A,0.1\n,A,0.1\n".to_owned(),
            &["line 3", "account_id", "every row or in none"],
        ),
        ("t.json", "{\"targets\": [{\"symbol\": \"A\", \"weight\": NaN}]}".to_owned(), &["line 1", "no JSON", "write 0"]),
        ("t.json", "{\"targets\": []}".to_owned(), &["no targets"]),
        ("t.json", "{\"target\": []}".to_owned(), &["targets"]),
        ("t.json", "{\"targets\": [], \"leverage\": 2}".to_owned(), &["leverage", "not known"]),
        (
            "t.json",
            "{\"targets\": [{\"symbol\": \"A\", \"weight\": \"much\"}]}".to_owned(),
            &["target 1", "weight", "much", "a number"],
        ),
        ("t.json", "{\"targets\": [{\"symbol\": \"A\"}]}".to_owned(), &["weight"]),
        ("t.json", "{\"targets\": [7]}".to_owned(), &["target 1", "no object"]),
        (
            "t.json",
            "{\"targets\": [{\"symbol\": \"A\", \"weight\": 1, \"max_wieght\": 1}]}".to_owned(),
            &["max_wieght", "not known"],
        ),
        (
            "t.json",
            "{\"targets\": [{\"symbol\": \"A\", \"weight\": 1}], \"constraints\": {\"max_leverag\": 1}}".to_owned(),
            &["max_leverag", "not known"],
        ),
    ];
    for (name, text, words) in cases {
        let error = read(&Files::new().text(name, text))
            .unwrap_err()
            .to_string();
        assert!(error.contains(name), "{text:?}: {error}");
        for word in *words {
            assert!(error.contains(word), "{text:?}: {error} lacks {word:?}");
        }
    }
}

#[test]
fn wrong_types_of_columns_are_named() {
    let files = Files::new();
    let error = |columns: Vec<(&str, ArrayRef)>| {
        let path = files.parquet(columns, Compression::SNAPPY);
        read(&path).unwrap_err().to_string()
    };
    let text = error(vec![
        ("as_of", dates(&[FRIDAY])),
        ("symbol", strings(&["A"])),
        ("weight", strings(&["0.5"])),
    ]);
    assert!(
        text.contains("\"weight\" holds Utf8") && text.contains("cast"),
        "{text}"
    );
    let numbers = error(vec![
        ("as_of", doubles(&[20_260_101.0])),
        ("symbol", strings(&["A"])),
        ("weight", doubles(&[0.5])),
    ]);
    assert!(numbers.contains("\"as_of\" holds Float64"), "{numbers}");
    let codes = error(vec![
        ("symbol", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
        ("weight", doubles(&[0.5])),
    ]);
    assert!(codes.contains("\"symbol\" holds Int64"), "{codes}");
    let rows = error(vec![
        ("as_of", dates(&[FRIDAY, FRIDAY, FRIDAY])),
        ("symbol", strings(&["A", "B", "C"])),
        ("weight", doubles(&[0.1, 0.1, f64::NAN])),
    ]);
    assert!(rows.contains("row 3, C: the weight is NaN"), "{rows}");
    let wide = error(vec![
        ("as_of", dates(&[FRIDAY])),
        ("A", Arc::new(Float64Array::from(vec![None])) as ArrayRef),
    ]);
    assert!(wide.contains("row 1, A: the weight is missing"), "{wide}");
}

#[test]
fn damaged_files_are_errors_and_nothing_panics() {
    let files = Files::new();
    let columns = vec![
        ("as_of", dates(&[FRIDAY, FRIDAY])),
        ("symbol", strings(&["A", "B"])),
        ("weight", doubles(&[0.5, 0.5])),
    ];
    let bytes = std::fs::read(files.parquet(columns, Compression::SNAPPY)).unwrap();
    let path = files.0.path().join("damaged");
    for len in (0..bytes.len()).step_by(7) {
        std::fs::write(&path, &bytes[..len]).unwrap();
        assert!(read(&path).is_err(), "{len} bytes");
    }
    assert!(read(&files.0.path().join("none")).is_err());
    let error = read(&files.text("latin.csv", "symbol,weight\n")).unwrap_err();
    assert_eq!(*error.problem, Problem::Empty);
    std::fs::write(&path, b"symbol,weight\nA,\xff\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("UTF-8"),
        "{error}"
    );
}

#[test]
fn age_sum_and_sign_are_checked() {
    let targets = |text: &str| csv(text).unwrap().remove(0);
    let long = |date: &str, weight: &str| {
        targets(&format!(
            "as_of,symbol,weight\n{date},A,0.5\n{date},B,{weight}\n"
        ))
    };
    assert_eq!(long("2026-11-20", "0.5").check(&checks()), Ok(()));
    let error = |targets: &Targets| targets.check(&checks()).unwrap_err().to_string();
    let stale = error(&long("2026-11-01", "0.5"));
    assert!(
        stale.contains("19 days ago") && stale.contains("targets.max_age_h"),
        "{stale}"
    );
    let future = error(&long("2026-11-22", "0.5"));
    assert!(future.contains("not yet"), "{future}");
    let much = error(&long("2026-11-20", "0.7"));
    assert!(
        much.contains("1.2") && much.contains("line 3, B") && much.contains("max_weight_sum"),
        "{much}"
    );
    let percents = error(&targets(
        "as_of,symbol,weight\n2026-11-20,A,60\n2026-11-20,B,40\n",
    ));
    assert!(percents.contains("percents"), "{percents}");
    let short = error(&long("2026-11-20", "-0.1"));
    assert!(
        short.contains("line 3, B") && short.contains("plan.short"),
        "{short}"
    );
    let undated = targets("symbol,weight\nA,0.5\n");
    assert!(error(&undated).contains("as_of"));
    let any_age = Checks {
        max_age_s: None,
        ..checks()
    };
    assert_eq!(undated.check(&any_age), Ok(()));
    let known = ["A".parse().unwrap()].into();
    let unknown = long("2026-11-20", "0.1")
        .check_known(&known)
        .unwrap_err()
        .to_string();
    assert!(
        unknown.contains("line 3, B") && unknown.contains("does not know"),
        "{unknown}"
    );
    // What is to be sold may be unknown: it may be delisted.
    assert_eq!(long("2026-11-20", "0").check_known(&known), Ok(()));
}

#[test]
fn an_equal_weight_file_of_any_size_is_accepted() {
    for count in 1..=1_000_u32 {
        // As it is written by hand, and as a quotient.
        for weight in [
            format!("{}", 1.0 / f64::from(count)),
            format!("{:.17}", 1.0 / f64::from(count)),
        ] {
            let mut text = String::from("as_of,symbol,weight\n");
            for at in 0..count {
                text.push_str(&format!("2026-11-20,S{at},{weight}\n"));
            }
            let targets = csv(&text).unwrap();
            assert_eq!(targets[0].rows.len(), count as usize);
            assert_eq!(targets[0].check(&checks()), Ok(()), "1/{count}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_give_targets_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..4_usize) {
        let head: &[u8] = [&b""[..], b"PAR1", b"{", b"symbol,weight\n"][kind];
        let files = Files::new();
        let path = files.0.path().join("any");
        std::fs::write(&path, [head, &bytes].concat()).unwrap();
        if let Ok(targets) = read(&path) {
            prop_assert!(targets.iter().all(|t| t.rows.iter().all(|r| r.weight.is_finite())));
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(mut rows in prop::collection::btree_map("[A-Z]{1,5}", 0.0..0.1_f64, 1..10)
        .prop_map(|rows| rows.into_iter().collect::<Vec<_>>()), seed in any::<u64>()) {
        let text = |rows: &[(String, f64)]| {
            let lines: String = rows.iter().map(|(s, w)| format!("2026-11-20,{s},{w}\n")).collect();
            format!("as_of,symbol,weight\n{lines}")
        };
        let first = csv(&text(&rows)).unwrap();
        let turn = usize::try_from(seed % 7).unwrap() % rows.len();
        rows.rotate_left(turn);
        rows.reverse();
        prop_assert_eq!(first[0].id(), csv(&text(&rows)).unwrap()[0].id());
    }
}
