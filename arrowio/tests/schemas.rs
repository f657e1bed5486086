//! The schemas are what they were. After a change that is meant, run the tests with `NANOBOOK_UPDATE_SCHEMAS=1` and
//! look at the difference; a change other than columns added at the end needs a new version of the table.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::path::Path;

use nanobook_arrow::{PriceType, TableId, TableOptions};

/// One line for each column and each entry of metadata.
fn text(table: TableId, options: &TableOptions) -> String {
    let schema = table.schema(options);
    let mut text = String::new();
    for (key, value) in schema.metadata() {
        writeln!(text, "# {key} = {value}").unwrap();
    }
    for field in schema.fields() {
        let null = if field.is_nullable() { " null" } else { "" };
        write!(text, "{}: {}{null}", field.name(), field.data_type()).unwrap();
        for (key, value) in field.metadata() {
            write!(text, " [{key} = {value}]").unwrap();
        }
        text.push('\n');
    }
    text
}

fn compare(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/schemas/{name}.txt"));
    if std::env::var_os("NANOBOOK_UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "the schema of {name} has changed");
}

#[test]
fn schemas_are_what_they_were() {
    for &table in TableId::ALL {
        let options = TableOptions {
            levels: 2,
            ..TableOptions::default()
        };
        compare(table.as_str(), &text(table, &options));
    }
}

#[test]
fn price_types_change_prices_only() {
    for price_type in [PriceType::Decimal, PriceType::Fixed] {
        let options = TableOptions {
            price_type,
            levels: 2,
        };
        let found = text(TableId::Bbo, &options);
        compare(&format!("bbo.{price_type}"), &found);
    }
}
