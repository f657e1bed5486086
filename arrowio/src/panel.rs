//! Frames to panels and schedules, without copying a column of doubles.
//!
//! A wide frame has a time column and one column for each symbol; its `Float64` columns are borrowed as they lie, chunk by
//! chunk. A long frame has a time, a symbol and one column for each kind of price; its rows are put in place in one go,
//! whichever way they are sorted, as long as the times of each symbol rise. Which of the two it is follows from whether
//! there is a column of text.

mod actions;
mod error;
mod long;
mod time;

pub use actions::read_actions;
pub use error::FrameError;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, SchemaRef};
use nanobook::backtest::{Chunk, Column, Field, Matrix, Panel, Schedule, Validity};

/// Names of the columns, where they are not the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameNames {
    /// The time column; `None` for the only one of a time's type.
    pub time: Option<String>,
    /// The symbol column of a long frame; `None` for `symbol`, or the only one of text.
    pub symbol: Option<String>,
    /// Columns of a long frame and what they hold; where none is named for a field, its own name is looked for.
    pub fields: Vec<(Field, String)>,
    /// The weight column of a long frame; `None` for `weight`.
    pub weight: Option<String>,
}

impl FrameNames {
    fn field(&self, field: Field) -> &str {
        let named = self.fields.iter().find(|(named, _)| *named == field);
        named.map_or(field.as_str(), |(_, name)| name)
    }
}

type Result<T> = std::result::Result<T, FrameError>;

/// Doubles of a frame: borrowed columns, or rows of our own.
#[derive(Clone, Debug)]
enum Values {
    /// For each chunk one array for each symbol.
    Wide(Vec<Vec<Float64Array>>),
    /// Row after row.
    Rows(Vec<f64>),
}

impl Values {
    fn matrix(&self, symbols: usize) -> Result<Matrix<'_>> {
        Ok(match self {
            Self::Rows(values) => Matrix::from_rows(values, symbols)?,
            Self::Wide(chunks) => {
                let mut all = Vec::with_capacity(chunks.len());
                for arrays in chunks {
                    let columns = arrays.iter().map(column).collect();
                    all.push(Chunk { columns });
                }
                Matrix::from_chunks(all)?
            }
        })
    }
}

/// An array as a column: the same memory.
fn column(array: &Float64Array) -> Column<'_> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    Column {
        values: array.values(),
        valid: nulls.map(|nulls| Validity {
            bits: nulls.validity(),
            offset: nulls.offset(),
        }),
    }
}

/// Times, symbols and values of a frame.
#[derive(Clone, Debug)]
struct Grid {
    times: Vec<i64>,
    symbols: Vec<String>,
    values: Vec<Values>,
}

/// Prices of a frame, for a [`Panel`].
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Date32Array, Float64Array, RecordBatch};
/// use nanobook_arrow::{FrameNames, PanelFrame};
///
/// let batch = RecordBatch::try_from_iter([
///     ("date", Arc::new(Date32Array::from(vec![18_262, 18_263])) as _),
///     ("A", Arc::new(Float64Array::from(vec![10.0, 11.0])) as _),
///     ("B", Arc::new(Float64Array::from(vec![Some(20.0), None])) as _),
/// ])?;
/// let frame = PanelFrame::new(&batch.schema(), &[batch], &FrameNames::default(), &[])?;
/// let panel = frame.panel()?;
/// assert_eq!(panel.symbols(), ["A", "B"]);
/// assert!(panel.close().get(1, 1).is_nan());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PanelFrame {
    grid: Grid,
    fields: Vec<Field>,
}

impl PanelFrame {
    /// Prices of a frame in batches of one schema. A wide frame holds closes. Of a long frame the closes are taken and
    /// whatever is `wanted` beside them and there.
    ///
    /// # Errors
    /// When a column is missing or of a type that can't be, or a time or a symbol is null, or times don't rise; the message
    /// names row and column.
    pub fn new(
        schema: &SchemaRef,
        batches: &[RecordBatch],
        names: &FrameNames,
        wanted: &[Field],
    ) -> Result<Self> {
        let what = "prices";
        let Some(symbol) = symbol_column(what, schema, names)? else {
            let grid = wide(what, schema, batches, names)?;
            return Ok(Self {
                grid,
                fields: vec![Field::Close],
            });
        };
        let there = |field: &Field| schema.index_of(names.field(*field)).is_ok();
        let further = wanted.iter().filter(|field| **field != Field::Close);
        let fields: Vec<Field> = std::iter::once(Field::Close)
            .chain(further.copied().filter(there))
            .collect();
        let columns: Vec<&str> = fields.iter().map(|field| names.field(*field)).collect();
        let time = time::column(what, schema, names.time.as_deref())?;
        let grid = long::read(&long::Long {
            what,
            batches,
            schema,
            time,
            symbol,
            columns: &columns,
            absent: f64::NAN,
        })?;
        Ok(Self { grid, fields })
    }

    /// Takes further prices, or volumes, from a wide frame of the same times and symbols.
    ///
    /// # Errors
    /// As [`PanelFrame::new`], and when times or symbols differ.
    pub fn add(
        &mut self,
        field: Field,
        schema: &SchemaRef,
        batches: &[RecordBatch],
        names: &FrameNames,
    ) -> Result<()> {
        let what = field.as_str();
        let mut other = wide(what, schema, batches, names)?;
        if other.times != self.grid.times {
            let pairs = other.times.iter().zip(&self.grid.times);
            let row = pairs.take_while(|(a, b)| a == b).count();
            return Err(FrameError::OtherTimes { what, row });
        }
        let mut order = Vec::with_capacity(self.grid.symbols.len());
        for symbol in &self.grid.symbols {
            let at = other.symbols.iter().position(|name| name == symbol);
            order.push(at.ok_or_else(|| FrameError::NoSymbol {
                what,
                symbol: symbol.clone(),
            })?);
        }
        if other.symbols.len() > order.len() {
            let more = other
                .symbols
                .iter()
                .find(|name| !self.grid.symbols.contains(name));
            let symbol = more.cloned().unwrap_or_default();
            return Err(FrameError::NoSymbol {
                what: "prices",
                symbol,
            });
        }
        if let Some(Values::Wide(chunks)) = other.values.pop() {
            let sorted = chunks
                .iter()
                .map(|arrays| order.iter().map(|at| arrays[*at].clone()).collect());
            self.fields.push(field);
            self.grid.values.push(Values::Wide(sorted.collect()));
        }
        Ok(())
    }

    /// Prices as they lie, not looked at; `None` when there are none of the kind.
    pub fn matrix(&self, field: Field) -> Option<Matrix<'_>> {
        let at = self.fields.iter().position(|there| *there == field)?;
        self.grid.values[at].matrix(self.grid.symbols.len()).ok()
    }

    /// The times, ns since the epoch.
    pub fn times(&self) -> &[i64] {
        &self.grid.times
    }

    /// The symbols.
    pub fn symbols(&self) -> &[String] {
        &self.grid.symbols
    }

    /// The panel, over the memory of the frame. Every price is looked at once.
    ///
    /// # Errors
    /// When there are no rows or symbols, symbols repeat, times don't rise, or a price is not finite and above zero.
    pub fn panel(&self) -> Result<Panel<'_>> {
        let Grid {
            times,
            symbols,
            values,
        } = &self.grid;
        let mut fields = self.fields.iter().zip(values);
        let close = match fields.next() {
            Some((_, values)) => values.matrix(symbols.len())?,
            None => Matrix::from_rows(&[], 0)?,
        };
        let mut panel = Panel::new(times, symbols, close)?;
        for (field, values) in fields {
            panel = panel.with(*field, values.matrix(symbols.len())?)?;
        }
        Ok(panel)
    }
}

/// Weights of a frame, for a [`Schedule`].
///
/// In a long frame a symbol that is absent at a time has weight zero there; a null weight is NaN.
#[derive(Clone, Debug)]
pub struct ScheduleFrame {
    grid: Grid,
}

impl ScheduleFrame {
    /// Weights of a frame in batches of one schema.
    ///
    /// # Errors
    /// As [`PanelFrame::new`].
    pub fn new(schema: &SchemaRef, batches: &[RecordBatch], names: &FrameNames) -> Result<Self> {
        let what = "weights";
        let Some(symbol) = symbol_column(what, schema, names)? else {
            let grid = wide(what, schema, batches, names)?;
            return Ok(Self { grid });
        };
        let time = time::column(what, schema, names.time.as_deref())?;
        let weight = names.weight.as_deref().unwrap_or("weight");
        let grid = long::read(&long::Long {
            what,
            batches,
            schema,
            time,
            symbol,
            columns: &[weight],
            absent: 0.0,
        })?;
        Ok(Self { grid })
    }

    /// Weights of our own, row after row.
    pub fn from_rows(times: Vec<i64>, symbols: Vec<String>, weights: Vec<f64>) -> Self {
        Self {
            grid: Grid {
                times,
                symbols,
                values: vec![Values::Rows(weights)],
            },
        }
    }

    /// The schedule, over the memory of the frame.
    ///
    /// # Errors
    /// When symbols repeat or times don't rise.
    pub fn schedule(&self) -> Result<Schedule<'_>> {
        let Grid {
            times,
            symbols,
            values,
        } = &self.grid;
        let weights = match values.first() {
            Some(values) => values.matrix(symbols.len())?,
            None => Matrix::from_rows(&[], 0)?,
        };
        Ok(Schedule::new(times, symbols, weights)?)
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The symbol column of a long frame; `None` for a wide one.
fn symbol_column(
    what: &'static str,
    schema: &SchemaRef,
    names: &FrameNames,
) -> Result<Option<usize>> {
    if let Some(name) = &names.symbol {
        let at = index_of(what, schema, name)?;
        let found = schema.field(at).data_type();
        if !is_text(found) {
            return Err(FrameError::Type {
                what,
                column: name.clone(),
                expected: "text",
                found: found.to_string(),
            });
        }
        return Ok(Some(at));
    }
    let fields = schema.fields().iter().enumerate();
    let texts: Vec<usize> = fields
        .filter(|(_, field)| is_text(field.data_type()))
        .map(|(at, _)| at)
        .collect();
    let usual = texts
        .iter()
        .find(|at| schema.field(**at).name() == "symbol");
    match (&texts[..], usual) {
        ([], _) => Ok(None),
        (_, Some(at)) | ([at], None) => Ok(Some(*at)),
        _ => Err(FrameError::Ambiguous {
            what,
            kind: "text",
            columns: column_names(schema, &texts),
        }),
    }
}

fn index_of(what: &'static str, schema: &SchemaRef, name: &str) -> Result<usize> {
    schema.index_of(name).map_err(|_| {
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        FrameError::NoColumn {
            what,
            column: name.to_owned(),
            found: column_names(schema, &all),
        }
    })
}

fn column_names(schema: &SchemaRef, at: &[usize]) -> String {
    const SHOWN: usize = 12;
    let names = at
        .iter()
        .take(SHOWN)
        .map(|at| schema.field(*at).name().as_str());
    let mut text = names.collect::<Vec<_>>().join(", ");
    if at.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

/// An array of doubles; one of other numbers is converted.
fn doubles(what: &'static str, name: &str, array: &ArrayRef) -> Result<Float64Array> {
    if let Some(values) = array.as_any().downcast_ref::<Float64Array>() {
        return Ok(values.clone());
    }
    let found = array.data_type();
    let wrong = || FrameError::Type {
        what,
        column: name.to_owned(),
        expected: "a number",
        found: found.to_string(),
    };
    if !(found.is_numeric() || *found == DataType::Null) {
        return Err(wrong());
    }
    let cast = arrow_cast::cast(array, &DataType::Float64).map_err(|_| wrong())?;
    let values = cast.as_any().downcast_ref::<Float64Array>();
    values.cloned().ok_or_else(wrong)
}

fn wide(
    what: &'static str,
    schema: &SchemaRef,
    batches: &[RecordBatch],
    names: &FrameNames,
) -> Result<Grid> {
    let time = time::column(what, schema, names.time.as_deref())?;
    let columns: Vec<usize> = (0..schema.fields().len())
        .filter(|at| *at != time)
        .collect();
    let name = |at: usize| schema.field(at).name();
    let mut times = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    let mut chunks = Vec::with_capacity(batches.len());
    for batch in batches {
        time::append(what, name(time), batch.column(time), &mut times)?;
        let arrays = columns
            .iter()
            .map(|at| doubles(what, name(*at), batch.column(*at)));
        chunks.push(arrays.collect::<Result<Vec<_>>>()?);
    }
    Ok(Grid {
        times,
        symbols: columns.iter().map(|at| name(*at).clone()).collect(),
        values: vec![Values::Wide(chunks)],
    })
}

/// A number that an index is read from.
fn index<T: ArrowNativeType>(key: T) -> usize {
    key.as_usize()
}
