//! Comma-separated text: quotes as RFC 4180 has them, a byte order mark and empty lines are passed over.

use super::error::{Place, Problem, TargetError};
use super::sheet::{Cell, Sheet, is_time};

type Result<T> = std::result::Result<T, TargetError>;

/// A line and its cells; whether a cell was quoted tells the text `""` from nothing.
type Line = (u64, Vec<(String, bool)>);

pub(super) fn read(source: &str, bytes: &[u8]) -> Result<Sheet> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let lines = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n');
        let place = Place::Line(lines.count() as u64 + 1);
        let detail = "it is neither Parquet, Arrow, JSON nor text in UTF-8".to_owned();
        TargetError::new(source, Problem::Read { detail }).at(place)
    })?;
    let mut lines = split(text).map_err(|line| {
        let detail = "a quote is not closed".to_owned();
        TargetError::new(source, Problem::Read { detail }).at(Place::Line(line))
    })?;
    if lines.is_empty() {
        return Err(TargetError::new(source, Problem::Empty));
    }
    let (_, header) = lines.remove(0);
    let columns: Vec<String> = header
        .into_iter()
        .map(|(name, _)| name.trim().to_owned())
        .collect();
    let mut rows = Vec::with_capacity(lines.len());
    for (line, cells) in lines {
        let place = Place::Line(line);
        if cells.len() != columns.len() {
            let problem = Problem::Width {
                expected: columns.len(),
                found: cells.len(),
            };
            return Err(TargetError::new(source, problem).at(place));
        }
        let cells = cells.iter().zip(&columns);
        let cells = cells.map(|((text, quoted), column)| cell(column, text, *quoted));
        rows.push((place, cells.collect()));
    }
    Ok(Sheet { columns, rows })
}

/// Columns that stay text, though it may look like numbers: `INF` and `NAN` are tickers, an account is 1234567.
const TEXTS: [&str; 3] = ["symbol", "restrict", "account_id"];

fn cell(column: &str, text: &str, quoted: bool) -> Cell {
    let trimmed = text.trim();
    if trimmed.is_empty() && !quoted {
        return Cell::Null;
    }
    let is_text = TEXTS.contains(&column) || is_time(column);
    match trimmed.parse::<f64>() {
        Ok(value) if !is_text => Cell::Number(value),
        _ => Cell::Text(trimmed.to_owned()),
    }
}

/// Lines that are not empty, numbered from one; the line of a quote that is not closed.
fn split(text: &str) -> std::result::Result<Vec<Line>, u64> {
    let mut lines = Vec::new();
    let mut line = 1;
    let mut start = 1;
    let mut cells: Vec<(String, bool)> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut inside = false;
    let mut chars = text.chars().peekable();
    let mut end = |cells: &mut Vec<(String, bool)>, cell: &mut String, quoted: &mut bool, start| {
        cells.push((std::mem::take(cell), std::mem::take(quoted)));
        let cells = std::mem::take(cells);
        if cells.len() > 1 || !cells[0].0.trim().is_empty() || cells[0].1 {
            lines.push((start, cells));
        }
    };
    while let Some(char) = chars.next() {
        match char {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if inside => inside = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                (inside, quoted) = (true, true);
            }
            ',' if !inside => cells.push((std::mem::take(&mut cell), std::mem::take(&mut quoted))),
            '\n' if !inside => {
                end(&mut cells, &mut cell, &mut quoted, start);
                line += 1;
                start = line;
            }
            '\r' if !inside && chars.peek() == Some(&'\n') => {}
            char => {
                line += u64::from(char == '\n');
                cell.push(char);
            }
        }
    }
    if inside {
        return Err(start);
    }
    end(&mut cells, &mut cell, &mut quoted, start);
    Ok(lines)
}
