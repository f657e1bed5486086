//! JSON: the classic `target.json`, or a list of objects with the columns of a long file.
//!
//! The classic file is `{"timestamp": …, "metadata": {"id": …}, "targets": [{"symbol": …, "weight": …}], "constraints":
//! {"max_position_pct": …, "max_leverage": …, "min_trade_usd": …}}`.

use serde_json::{Map, Value};

use super::Constraints;
use super::error::{Place, Problem, TargetError};
use super::sheet::{Cell, Sheet, is_time};

type Result<T> = std::result::Result<T, TargetError>;

pub(super) fn read(source: &str, bytes: &[u8]) -> Result<(Sheet, Option<Constraints>)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|e| {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().nth(e.line().saturating_sub(1)).unwrap_or("");
        // Python writes NaN and Infinity, which JSON does not have.
        let hint = if line.contains("NaN") || line.contains("Infinity") {
            " (NaN and Infinity are no JSON; write 0 to exit)"
        } else {
            ""
        };
        let detail = format!("it is no JSON: {e}{hint}");
        let place = Place::Line(e.line() as u64);
        TargetError::new(source, Problem::Json { detail }).at(place)
    })?;
    match value {
        Value::Array(rows) => Ok((sheet(source, rows, None)?, None)),
        Value::Object(mut file) => {
            let time = file.remove("timestamp").or_else(|| file.remove("as_of"));
            let constraints = file.remove("constraints");
            // Whatever the file says of itself is its own affair.
            file.remove("metadata");
            let Some(Value::Array(rows)) = file.remove("targets") else {
                return no(source, "it has no list \"targets\"");
            };
            if let Some(key) = file.keys().next() {
                let known = "timestamp, metadata, targets, constraints";
                return no(source, &format!("{key:?} is not known; known are {known}"));
            }
            let time = time.map(|time| cell(&time)).transpose();
            let time = time.map_err(|found| {
                let column = "timestamp".to_owned();
                let expected = "a date or a time, such as 2026-11-20";
                TargetError::new(
                    source,
                    Problem::Cell {
                        column,
                        expected,
                        found,
                    },
                )
            })?;
            let constraints = match constraints {
                None | Some(Value::Null) => None,
                Some(Value::Object(map)) => Some(read_constraints(source, map)?),
                Some(_) => return no(source, "\"constraints\" is no object"),
            };
            Ok((sheet(source, rows, time)?, constraints))
        }
        _ => no(source, "it is neither a list of targets nor an object"),
    }
}

fn no<T>(source: &str, detail: &str) -> Result<T> {
    let detail = detail.to_owned();
    Err(TargetError::new(source, Problem::Json { detail }))
}

fn read_constraints(source: &str, map: Map<String, Value>) -> Result<Constraints> {
    let mut constraints = Constraints::default();
    for (key, value) in map {
        let slot = match key.as_str() {
            "max_position_pct" => &mut constraints.max_weight,
            "max_leverage" => &mut constraints.max_leverage,
            "min_trade_usd" => &mut constraints.min_order_value,
            _ => return no(source, &format!("constraint {key:?} is not known")),
        };
        match value.as_f64() {
            Some(limit) if limit >= 0.0 => *slot = Some(limit),
            _ => {
                return no(
                    source,
                    &format!("constraint {key:?} is {value}, and no number from 0 on"),
                );
            }
        }
    }
    Ok(constraints)
}

/// Objects as a sheet; what one of them lacks is null.
fn sheet(source: &str, rows: Vec<Value>, time: Option<Cell>) -> Result<Sheet> {
    let mut columns: Vec<String> = Vec::new();
    let mut maps = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        let place = Place::Entry(at as u64 + 1);
        let Value::Object(map) = row else {
            let detail =
                format!("{row} is no object such as {{\"symbol\": \"SPY\", \"weight\": 0.5}}");
            return Err(TargetError::new(source, Problem::Json { detail }).at(place));
        };
        for key in map.keys() {
            if !columns.contains(key) {
                columns.push(key.clone());
            }
        }
        maps.push((place, map));
    }
    if maps.is_empty() {
        return Err(TargetError::new(source, Problem::Empty));
    }
    let mut sheet = Sheet {
        rows: Vec::with_capacity(maps.len()),
        columns,
    };
    for (place, map) in maps {
        let cells = sheet.columns.iter().map(|column| {
            let value = map.get(column).unwrap_or(&Value::Null);
            cell(value).map_err(|found| {
                let column = column.clone();
                let expected = "a number or a text";
                TargetError::new(
                    source,
                    Problem::Cell {
                        column,
                        expected,
                        found,
                    },
                )
                .at(place)
            })
        });
        let cells = cells.collect::<Result<Vec<_>>>()?;
        sheet.rows.push((place, cells));
    }
    // Without symbols it would pass for a wide file.
    if !sheet.columns.iter().any(|column| column == "symbol") {
        return Err(TargetError::new(
            source,
            Problem::NoColumn {
                column: "symbol",
                found: sheet.columns.join(", "),
                remedy: "a target is an object with symbol and weight",
            },
        ));
    }
    let has_time = sheet.columns.iter().any(|c| is_time(c));
    if let (Some(time), false) = (time, has_time) {
        sheet.columns.push("as_of".to_owned());
        for (_, cells) in &mut sheet.rows {
            cells.push(time.clone());
        }
    }
    Ok(sheet)
}

/// A value as a cell; its text when it is none.
fn cell(value: &Value) -> std::result::Result<Cell, String> {
    match value {
        Value::Null => Ok(Cell::Null),
        Value::Number(number) => number
            .as_f64()
            .map(Cell::Number)
            .ok_or_else(|| value.to_string()),
        Value::String(text) => Ok(Cell::Text(text.clone())),
        _ => Err(value.to_string()),
    }
}
