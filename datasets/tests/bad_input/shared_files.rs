//! The files of the reference data, whose messages were counted independently.
//!
//! The folder lies beside the project; without it each test says that it was skipped.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::*;

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/itch")
        .join(name);
    if !path.exists() {
        println!("skipped: {name} of the reference data is not there");
    }
    path.exists().then_some(path)
}

/// Replays a file of the reference data and returns the manifest's entry of a table.
fn replayed(name: &str, more: &[&str]) -> Option<(tempfile::TempDir, Value)> {
    let file = shared(name)?;
    let temporary = folder();
    replay(&file, temporary.path(), more).succeeded();
    let manifests = tree(temporary.path());
    let (_, text) = manifests
        .iter()
        .find(|(path, _)| path.ends_with("manifest.json"))?;
    let manifest: Value = serde_json::from_slice(text).unwrap();
    Some((temporary, manifest["tables"].clone()))
}

/// Messages by type in the report of a manifest.
fn counts(tables: &Value) -> Value {
    tables["trades"]["report"]["messages_by_type"].clone()
}

const WITH_DATE: [&str; 2] = ["--date", DATE];

#[test]
fn real_premarket_needs_leave_to_lack_its_end() {
    let name = "12302019.NASDAQ_ITCH50.premarket_cut.gz";
    let Some(file) = shared(name) else { return };
    let temporary = folder();
    let out = temporary.path().join("data");
    replay(&file, &out, &[]).failed(1, &[name, "7141693 unpacked bytes", "04:00:19.096082732"]);
    assert_nothing_left(&out);

    let (out, tables) = replayed(name, &["--allow-truncated"]).unwrap();
    let expected = json!({
        "S": 2, "R": 8_906, "H": 8_897, "Y": 8_893, "L": 215_036, "A": 5_609, "D": 2_658,
        "U": 331, "X": 1_453, "F": 36, "E": 13, "P": 3,
    });
    assert_eq!(counts(&tables), expected);
    assert_eq!(tables["instruments"]["rows"], 8_906);
    assert_eq!(tables["participants"]["rows"], 215_036);
    assert_eq!(tables["trades"]["rows"], 16);
    let report = &tables["trades"]["report"];
    assert!(
        report["truncated"]
            .as_str()
            .unwrap()
            .contains("7141693 unpacked bytes")
    );
    assert!(
        report["faults"]
            .as_object()
            .unwrap()
            .values()
            .all(|count| count == 0),
        "{report}"
    );
    assert!(
        out.path()
            .join("instruments/date=2019-12-30/part-0.parquet")
            .exists()
    );
}

#[test]
fn real_directory() {
    let Some((_, tables)) = replayed("12302019.NASDAQ_ITCH50.directory_cut", &[]) else {
        return;
    };
    assert_eq!(counts(&tables), json!({ "S": 1, "R": 993, "H": 3, "Y": 3 }));
    assert_eq!(tables["instruments"]["rows"], 993);
    assert_eq!(tables["trades"]["rows"], 0);
}

#[test]
fn zero_prefix() {
    let Some((_, tables)) = replayed("20101224.TEST_ITCH_50.zero_prefix.gz", &[]) else {
        return;
    };
    let expected = json!({
        "P": 5_000, "A": 4_997, "D": 1_745, "E": 198, "X": 45, "U": 12, "S": 6, "R": 3, "H": 3,
        "F": 3,
    });
    assert_eq!(counts(&tables), expected);
    assert_eq!(tables["trades"]["report"]["framing"], "zero");
    assert_eq!(tables["trades"]["rows"], 5_198);
}

#[test]
fn no_prefix() {
    let Some((_, tables)) = replayed("no_prefix.itch", &WITH_DATE) else {
        return;
    };
    assert_eq!(
        counts(&tables),
        json!({ "A": 200, "E": 20, "S": 2, "R": 2 })
    );
    assert_eq!(tables["trades"]["report"]["framing"], "none");
    assert_eq!(tables["trades"]["rows"], 20);
}

#[test]
fn synthetic_three_symbols() {
    let name = "synthetic_3symbols.NASDAQ_ITCH50";
    let Some((_, tables)) = replayed(name, &WITH_DATE) else {
        return;
    };
    let expected = json!({ "S": 6, "R": 3, "A": 4_328, "E": 1_182, "X": 823, "D": 1_667 });
    assert_eq!(counts(&tables), expected);
    assert_eq!(tables["trades"]["rows"], 1_182);
    let file = shared(name).unwrap();
    replay(&file, &folder().path().join("data"), &[]).failed(1, &[name, "--date"]);
}

#[test]
fn wrong_lengths_are_skipped_and_counted() {
    let Some((_, tables)) = replayed("malformed_lengths.itch", &WITH_DATE) else {
        return;
    };
    let expected = json!({
        "S": 4, "A": 7_615, "E": 2_623, "X": 2_314, "D": 2_371, "C": 816, "U": 2_046, "F": 1_378,
        "P": 837,
    });
    let report = &tables["trades"]["report"];
    assert_eq!(report["messages_by_type"], expected);
    assert_eq!(report["wrong_length"], expected);
    assert_eq!(report["unknown_type"], json!({}));
    assert_eq!(report["live_orders"], 0);
    assert!(
        tables
            .as_object()
            .unwrap()
            .values()
            .all(|table| table["rows"] == 0),
        "{tables}"
    );
    let file = shared("malformed_lengths.itch")
        .unwrap()
        .display()
        .to_string();
    assert_eq!(run(["verify", &file]).code, Some(3));
}

#[test]
fn verify_tells_the_files_with_faults() {
    for (name, code) in [
        ("12302019.NASDAQ_ITCH50.premarket_cut.gz", 3),
        ("12302019.NASDAQ_ITCH50.directory_cut", 0),
        ("20101224.TEST_ITCH_50.zero_prefix.gz", 3),
    ] {
        let Some(file) = shared(name) else { return };
        let ran = run(["verify", &file.display().to_string(), "--allow-truncated"]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(fs::metadata(&file).unwrap().len() > 0);
    }
}
