//! Frames as text and as HTML, and single values as Python's own.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, FieldRef, Schema, TimeUnit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Error;

/// Rows shown at the start and at the end of a frame that has more than twice as many.
const EDGE_ROWS: usize = 5;
/// Columns shown at most.
const MOST_COLUMNS: usize = 12;
/// Characters of a value shown at most.
const MOST_CHARS: usize = 32;

/// What a type is called: short, as polars says it.
pub(crate) fn type_name(data_type: &DataType) -> String {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    };
    match data_type {
        DataType::Boolean => "bool".to_owned(),
        DataType::Int8 => "i8".to_owned(),
        DataType::Int16 => "i16".to_owned(),
        DataType::Int32 => "i32".to_owned(),
        DataType::Int64 => "i64".to_owned(),
        DataType::UInt8 => "u8".to_owned(),
        DataType::UInt16 => "u16".to_owned(),
        DataType::UInt32 => "u32".to_owned(),
        DataType::UInt64 => "u64".to_owned(),
        DataType::Float32 => "f32".to_owned(),
        DataType::Float64 => "f64".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "str".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(u, None) => format!("datetime[{}]", unit(u)),
        DataType::Timestamp(u, Some(zone)) => format!("datetime[{}, {zone}]", unit(u)),
        DataType::Duration(u) => format!("duration[{}]", unit(u)),
        DataType::Decimal128(precision, scale) => format!("decimal[{precision},{scale}]"),
        other => other.to_string(),
    }
}

fn options() -> FormatOptions<'static> {
    FormatOptions::default()
        .with_null("null")
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
}

/// The cells of a row range of one column.
fn cells(array: &dyn Array, rows: impl Iterator<Item = usize>) -> Result<Vec<String>, Error> {
    let options = options();
    // The zone is in the heading, and printing in another than UTC would need the zone database.
    let local;
    let array = match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let ticks = cast(array, &DataType::Int64).map_err(Error::Arrow)?;
            local = cast(&ticks, &DataType::Timestamp(*unit, None)).map_err(Error::Arrow)?;
            local.as_ref()
        }
        _ => array,
    };
    let formatter = ArrayFormatter::try_new(array, &options).map_err(Error::Arrow)?;
    let cell = |row: usize| {
        if let DataType::Float64 = array.data_type()
            && array.is_valid(row)
        {
            return Ok(double(array.as_primitive::<Float64Type>().value(row)));
        }
        let text = formatter.value(row).try_to_string().map_err(Error::Arrow)?;
        Ok(match text.char_indices().nth(MOST_CHARS) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        })
    };
    rows.map(cell).collect()
}

/// Six digits that matter, and no exponent where a reader wants none.
fn double(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    if !(1e-5..1e15).contains(&size) {
        return format!("{value:e}");
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -5 and 15")]
    let digits = (5 - size.log10().floor() as i32).clamp(0, 10);
    let text = format!("{value:.*}", usize::try_from(digits).unwrap_or(0));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// What is shown of a frame: headings, and rows of cells, with `…` for what is left out.
struct Excerpt {
    names: Vec<String>,
    types: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
    shape: (usize, usize),
}

impl Excerpt {
    fn of(schema: &Schema, batches: &[RecordBatch]) -> Result<Self, Error> {
        let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let width = schema.fields().len();
        let cut = width > MOST_COLUMNS;
        let shown: Vec<Option<usize>> = if cut {
            let (left, right) = (MOST_COLUMNS / 2, width - MOST_COLUMNS / 2);
            let left = (0..left).map(Some);
            left.chain([None]).chain((right..width).map(Some)).collect()
        } else {
            (0..width).map(Some).collect()
        };
        let wanted: Vec<Option<usize>> = if total > 2 * EDGE_ROWS {
            let first = (0..EDGE_ROWS).map(Some);
            first
                .chain([None])
                .chain((total - EDGE_ROWS..total).map(Some))
                .collect()
        } else {
            (0..total).map(Some).collect()
        };
        let mut rows = vec![Vec::new(); wanted.len()];
        let (mut names, mut types, mut right) = (Vec::new(), Vec::new(), Vec::new());
        for column in shown {
            let Some(at) = column else {
                names.push("…".to_owned());
                types.push(String::new());
                right.push(false);
                for row in &mut rows {
                    row.push("…".to_owned());
                }
                continue;
            };
            let field = schema.field(at);
            names.push(field.name().clone());
            types.push(type_name(field.data_type()));
            right.push(field.data_type().is_numeric());
            let mut place = 0;
            let mut start = 0;
            for batch in batches {
                let end = start + batch.num_rows();
                while place < wanted.len() {
                    match wanted[place] {
                        None => rows[place].push("…".to_owned()),
                        Some(row) if row < end => {
                            let cell = cells(batch.column(at), std::iter::once(row - start))?;
                            rows[place].extend(cell);
                        }
                        Some(_) => break,
                    }
                    place += 1;
                }
                start = end;
            }
        }
        Ok(Self {
            names,
            types,
            right,
            rows,
            shape: (total, width),
        })
    }

    fn headline(&self, schema: &Schema) -> String {
        let name = schema.metadata().get("nanobook:table");
        let name = name.map_or(String::new(), |name| format!("{name}: "));
        format!("{name}{} rows × {} columns", self.shape.0, self.shape.1)
    }
}

/// A frame as lines of text.
pub(crate) fn text(schema: &Schema, batches: &[RecordBatch]) -> Result<String, Error> {
    let excerpt = Excerpt::of(schema, batches)?;
    let length = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..excerpt.names.len())
        .map(|at| {
            let cells = excerpt.rows.iter().map(|row| length(&row[at]));
            let heads = [length(&excerpt.names[at]), length(&excerpt.types[at])];
            cells.chain(heads).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let mut line = String::new();
        for (at, cell) in cells.iter().enumerate() {
            let gap = " ".repeat(widths[at] - length(cell));
            let (before, after) = if excerpt.right[at] {
                (gap.as_str(), "")
            } else {
                ("", gap.as_str())
            };
            line.push_str("  ");
            line.push_str(before);
            line.push_str(cell);
            line.push_str(after);
        }
        line.truncate(line.trim_end().len());
        line
    };
    let mut lines = vec![
        excerpt.headline(schema),
        line(&excerpt.names),
        line(&excerpt.types),
    ];
    lines.extend(excerpt.rows.iter().map(|row| line(row)));
    Ok(lines.join("\n"))
}

/// A frame as an HTML table that keeps to the notebook's own style.
pub(crate) fn html(schema: &Schema, batches: &[RecordBatch]) -> Result<String, Error> {
    let excerpt = Excerpt::of(schema, batches)?;
    let align = |at: usize| if excerpt.right[at] { "right" } else { "left" };
    let row = |tag: &str, cells: &[String]| {
        let cell = |(at, cell): (usize, &String)| {
            format!(
                "<{tag} style=\"text-align:{}\">{}</{tag}>",
                align(at),
                escape(cell)
            )
        };
        let cells: Vec<String> = cells.iter().enumerate().map(cell).collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let heads: Vec<String> = excerpt.names.iter().zip(&excerpt.types).enumerate()
        .map(|(at, (name, kind))| format!(
            "<th style=\"text-align:{}\">{}<br><small style=\"font-weight:normal;opacity:.6\">{}</small></th>",
            align(at), escape(name), escape(kind)
        ))
        .collect();
    let rows: Vec<String> = excerpt.rows.iter().map(|cells| row("td", cells)).collect();
    Ok(format!(
        "<div><small>{}</small><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        escape(&excerpt.headline(schema)),
        heads.concat(),
        rows.concat()
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A column as a line of text.
pub(crate) fn column(field: &FieldRef, array: &ArrayRef) -> Result<String, Error> {
    let len = array.len();
    let mut shown = cells(array, 0..len.min(EDGE_ROWS))?;
    if len > 2 * EDGE_ROWS {
        shown.push("…".to_owned());
        shown.extend(cells(array, len - EDGE_ROWS..len)?);
    } else if len > EDGE_ROWS {
        shown.extend(cells(array, EDGE_ROWS..len)?);
    }
    let kind = type_name(field.data_type());
    Ok(format!(
        "{} ({kind}, {len} rows): {}",
        field.name(),
        shown.join(", ")
    ))
}

/// A value as Python's own: `None`, `int`, `float`, `bool`, `str`, `decimal.Decimal`, or a `datetime` to the
/// microsecond (`NumPy` and polars keep the nanosecond).
pub(crate) fn value<'py>(
    py: Python<'py>,
    array: &dyn Array,
    row: usize,
) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    let one = array.slice(row, 1);
    let into = |data_type: &DataType| cast(&one, data_type).map_err(Error::Arrow);
    let any = |object: Bound<'py, PyAny>| Ok(object);
    match array.data_type() {
        DataType::Boolean => any(one
            .as_boolean()
            .value(0)
            .into_pyobject(py)?
            .to_owned()
            .into_any()),
        DataType::UInt64 => any(one
            .as_primitive::<UInt64Type>()
            .value(0)
            .into_pyobject(py)?
            .into_any()),
        DataType::Float32 => any(one
            .as_primitive::<Float32Type>()
            .value(0)
            .into_pyobject(py)?
            .into_any()),
        DataType::Float64 => any(one
            .as_primitive::<Float64Type>()
            .value(0)
            .into_pyobject(py)?
            .into_any()),
        t if t.is_integer() => {
            let wide = into(&DataType::Int64)?;
            any(wide
                .as_primitive::<Int64Type>()
                .value(0)
                .into_pyobject(py)?
                .into_any())
        }
        DataType::Timestamp(unit, zone) => {
            let ticks = into(&DataType::Int64)?;
            let ticks = ticks.as_primitive::<Int64Type>().value(0);
            let micros = match unit {
                TimeUnit::Second => i128::from(ticks) * 1_000_000,
                TimeUnit::Millisecond => i128::from(ticks) * 1_000,
                TimeUnit::Microsecond => i128::from(ticks),
                TimeUnit::Nanosecond => i128::from(ticks).div_euclid(1_000),
            };
            let datetime = py.import("datetime")?;
            let utc = datetime.getattr("timezone")?.getattr("utc")?;
            let epoch = datetime
                .getattr("datetime")?
                .call_method1("fromtimestamp", (0, &utc))?;
            let kwargs = PyDict::new(py);
            kwargs.set_item("microseconds", micros)?;
            let moment = epoch.add(datetime.getattr("timedelta")?.call((), Some(&kwargs))?)?;
            if zone.is_some() {
                return Ok(moment);
            }
            let naive = PyDict::new(py);
            naive.set_item("tzinfo", py.None())?;
            moment.call_method("replace", (), Some(&naive))
        }
        DataType::Date32 => {
            let days = into(&DataType::Int32)?;
            let days = days
                .as_primitive::<arrow_array::types::Int32Type>()
                .value(0);
            let date = py.import("datetime")?.getattr("date")?;
            // The first of January 1970 is day 719,163 of the proleptic calendar.
            date.call_method1("fromordinal", (719_163 + i64::from(days),))
        }
        DataType::Decimal128(..) => {
            let text = into(&DataType::Utf8)?;
            let text = text.as_string::<i32>().value(0).to_owned();
            py.import("decimal")?.getattr("Decimal")?.call1((text,))
        }
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(&one, &options).map_err(Error::Arrow)?;
            let text = formatter.value(0).try_to_string().map_err(Error::Arrow)?;
            any(text.into_pyobject(py)?.into_any())
        }
    }
}
