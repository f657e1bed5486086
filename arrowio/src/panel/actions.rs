//! Splits and dividends of a frame.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use nanobook::backtest::{Action, ActionKind};

use super::{FrameError, FrameNames, Result, doubles, index_of, time};

/// Corporate actions of a long frame with a time (ex date), `symbol`, `kind` (`dividend` or `split`) and `value` (for each
/// share, or new shares for one). Those of symbols without prices are left out.
///
/// # Errors
/// When a column is missing or of a type that can't be, a value is null, or a kind is neither.
pub fn read_actions(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    names: &FrameNames,
    symbols: &[String],
) -> Result<Vec<Action>> {
    let what = "actions";
    let time = time::column(what, schema, names.time.as_deref())?;
    let symbol = index_of(what, schema, names.symbol.as_deref().unwrap_or("symbol"))?;
    let kind = index_of(what, schema, "kind")?;
    let value = index_of(what, schema, "value")?;
    let known: HashMap<&str, usize> = symbols
        .iter()
        .enumerate()
        .map(|(at, s)| (s.as_str(), at))
        .collect();
    let mut times = Vec::new();
    let mut actions = Vec::new();
    for batch in batches {
        let start = times.len();
        time::append(
            what,
            schema.field(time).name(),
            batch.column(time),
            &mut times,
        )?;
        let text = |at: usize| {
            let column = schema.field(at).name().clone();
            let array = batch.column(at);
            let cast =
                arrow_cast::cast(array, &DataType::Utf8View).map_err(|_| FrameError::Type {
                    what,
                    column: column.clone(),
                    expected: "text",
                    found: array.data_type().to_string(),
                })?;
            let cast = cast.as_string_view().clone();
            match cast.iter().position(|text| text.is_none()) {
                Some(row) => Err(FrameError::Null {
                    what,
                    column,
                    row: start + row,
                }),
                None => Ok(cast),
            }
        };
        let (symbols, kinds) = (text(symbol)?, text(kind)?);
        let values = doubles(what, "value", batch.column(value))?;
        if let Some(row) = (0..values.len()).find(|row| values.is_null(*row)) {
            return Err(FrameError::Null {
                what,
                column: "value".to_owned(),
                row: start + row,
            });
        }
        for row in 0..batch.num_rows() {
            let value = values.value(row);
            let kind = match kinds.value(row) {
                "dividend" => ActionKind::Dividend(value),
                "split" => ActionKind::Split(value),
                other => {
                    return Err(FrameError::Kind {
                        row: start + row,
                        found: other.to_owned(),
                    });
                }
            };
            if let Some(&symbol) = known.get(symbols.value(row)) {
                actions.push(Action {
                    time: times[start + row],
                    symbol,
                    kind,
                });
            }
        }
    }
    Ok(actions)
}
