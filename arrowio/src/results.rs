//! What a backtest has found, as batches. Columns of doubles move over as they are; nothing is copied.
//!
//! | table | one row per | columns |
//! |---|---|---|
//! | `equity` | row of prices | `ts, equity, cash, gross, net, turnover, cost, ret, commission, slippage, spread, impact, borrow, interest, dividends, scaled, stale` |
//! | `holdings` | row and symbol held | `ts, symbol, qty, price, value, weight, stale` |
//! | `fills` | fill | `ts, symbol, side, qty, price, value, commission, slippage, spread, impact, reason` |
//! | `positions` | symbol ever held | `symbol, qty, avg_price, price, value, realized, unrealized` |
//! | `targets` | row of weights and symbol | `ts, symbol, weight` |
//! | `stop_events` | stop | `ts, symbol, reason, level, trigger, exit_price, qty` |
//! | `events` | anything else | `ts, symbol, kind, wanted, done` |
//! | `drawdowns` | fall from a peak | `peak, trough, recovery, depth, periods` |
//! | `metrics` | number | `metric, value` |
//! | `periods` | month or year | `year, month, ret, periods` |
//! | `sweep` | parameter set | the parameters, then every metric, and `error` |
//!
//! Money, prices and shares are doubles: fractions of shares are, and `equity` reconciles to `fills` in the arithmetic
//! that made both. `ret` is null in the first row, which has none. A name of a column has one meaning: `qty` of a fill is
//! unsigned beside a `side`, that of a holding is signed.

use std::sync::{Arc, OnceLock};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int8Array, Int64Array, RecordBatch,
    StringViewArray, TimestampNanosecondArray, UInt8Array, UInt32Array,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use nanobook::backtest::{
    EquityCurve, Event, FillReason, FillRows, HoldingRows, Places, StopEvent, TargetRows,
};
use nanobook::metrics::{Drawdown, Metrics, PeriodReturn};
use nanobook::portfolio::Position;

use crate::table::{TABLE_KEY, VERSION_KEY};

type Result<T> = std::result::Result<T, ArrowError>;

/// The times and symbols that rows of results point to.
///
/// # Examples
/// ```
/// use nanobook::backtest::EquityCurve;
/// use nanobook_arrow::Labels;
///
/// let labels = Labels::new(&[0, 86_400_000_000_000], &["A".to_owned()]);
/// let curve = EquityCurve { equity: vec![100.0, 110.0], ..zeros() };
/// let address = curve.equity.as_ptr();
/// let batch = labels.equity(curve)?;
/// let equity = batch.column_by_name("equity").expect("it is a column");
/// assert_eq!(equity.to_data().buffers()[0].as_ptr().cast::<f64>(), address);
/// # fn zeros() -> EquityCurve {
/// #     let zeros = || vec![0.0; 2];
/// #     EquityCurve { cash: zeros(), gross: zeros(), net: zeros(), turnover: zeros(), cost: zeros(),
/// #         commission: zeros(), slippage: zeros(), spread: zeros(), impact: zeros(), borrow: zeros(),
/// #         interest: zeros(), dividends: zeros(), scaled: zeros(), stale: vec![0; 2], equity: Vec::new() }
/// # }
/// # use arrow_array::Array;
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Labels {
    times: TimestampNanosecondArray,
    symbols: StringViewArray,
    /// Times and symbols of every row and symbol, once they are wanted.
    grid: OnceLock<(ArrayRef, ArrayRef)>,
}

impl Labels {
    /// The times, ns since the epoch, and the symbols of a panel.
    pub fn new(times: &[i64], symbols: &[String]) -> Self {
        Self {
            times: TimestampNanosecondArray::from(times.to_vec()).with_timezone("UTC"),
            symbols: symbols.iter().map(Some).collect(),
            grid: OnceLock::new(),
        }
    }

    fn ts(&self, rows: &UInt32Array) -> Result<ArrayRef> {
        arrow_select::take::take(&self.times, rows, None)
    }

    fn symbol(&self, symbols: &UInt32Array) -> Result<ArrayRef> {
        arrow_select::take::take(&self.symbols, symbols, None)
    }

    /// The table `equity`.
    ///
    /// # Errors
    /// When the curve has another number of rows than there are times.
    pub fn equity(&self, curve: EquityCurve) -> Result<RecordBatch> {
        let before = std::iter::once(None).chain(curve.equity.iter().map(Some));
        let ret = curve.equity.iter().zip(before).map(|(now, before)| {
            before
                .filter(|before| **before > 0.0)
                .map(|before| now / before - 1.0)
        });
        let ret = ret.collect::<Float64Array>();
        let columns = [
            ("ts", Arc::new(self.times.clone()) as ArrayRef),
            ("equity", floats(curve.equity)),
            ("cash", floats(curve.cash)),
            ("gross", floats(curve.gross)),
            ("net", floats(curve.net)),
            ("turnover", floats(curve.turnover)),
            ("cost", floats(curve.cost)),
            ("ret", Arc::new(ret)),
            ("commission", floats(curve.commission)),
            ("slippage", floats(curve.slippage)),
            ("spread", floats(curve.spread)),
            ("impact", floats(curve.impact)),
            ("borrow", floats(curve.borrow)),
            ("interest", floats(curve.interest)),
            ("dividends", floats(curve.dividends)),
            ("scaled", floats(curve.scaled)),
            ("stale", Arc::new(UInt32Array::from(curve.stale))),
        ];
        table("equity", columns)
    }

    /// Times and symbols of entries. Those of whole rows are made once, and parts of them taken.
    fn places(&self, places: &Places) -> Result<(ArrayRef, ArrayRef)> {
        let ((whole, width), (rows, symbols)) = (places.whole(), places.rest());
        if width == self.symbols.len() && whole.end <= self.times.len() && rows.is_empty() {
            let (ts, symbol) = if let Some(grid) = self.grid.get() {
                grid
            } else {
                let grid = self.grid()?;
                self.grid.get_or_init(|| grid)
            };
            let (start, len) = (whole.start * width, whole.len() * width);
            return Ok((ts.slice(start, len), symbol.slice(start, len)));
        }
        if whole.is_empty() {
            let (rows, symbols) = (rows.to_vec().into(), symbols.to_vec().into());
            return Ok((self.ts(&rows)?, self.symbol(&symbols)?));
        }
        let rows = numbers(places.iter().map(|(row, _)| row));
        let symbols = numbers(places.iter().map(|(_, symbol)| symbol));
        Ok((self.ts(&rows)?, self.symbol(&symbols)?))
    }

    /// Times and symbols of every row and symbol.
    fn grid(&self) -> Result<(ArrayRef, ArrayRef)> {
        let width = self.symbols.len();
        let mut times = Vec::with_capacity(self.times.len() * width);
        for time in self.times.values() {
            times.extend(std::iter::repeat_n(*time, width));
        }
        let times = TimestampNanosecondArray::from(times).with_timezone("UTC");
        let all = 0..u32::try_from(width).unwrap_or(u32::MAX);
        let mut symbols = Vec::with_capacity(times.len());
        for _ in 0..self.times.len() {
            symbols.extend(all.clone());
        }
        Ok((Arc::new(times), self.symbol(&symbols.into())?))
    }

    /// The table `holdings`.
    ///
    /// # Errors
    /// When a row or a symbol is none of the labels'.
    pub fn holdings(&self, rows: HoldingRows) -> Result<RecordBatch> {
        let stale = if rows.stale.is_empty() {
            BooleanArray::new(BooleanBuffer::new_unset(rows.places.len()), None)
        } else {
            BooleanArray::from(rows.stale)
        };
        let (ts, symbol) = self.places(&rows.places)?;
        let columns = [
            ("ts", ts),
            ("symbol", symbol),
            ("qty", floats(rows.qty)),
            ("price", floats(rows.price)),
            ("value", floats(rows.value)),
            ("weight", floats(rows.weight)),
            ("stale", Arc::new(stale) as ArrayRef),
        ];
        table("holdings", columns)
    }

    /// The table `fills`.
    ///
    /// # Errors
    /// When a row or a symbol is none of the labels'.
    pub fn fills(&self, rows: FillRows) -> Result<RecordBatch> {
        let reasons = reasons(&rows.reason)?;
        let count = rows.places.len();
        let (ts, symbol) = self.places(&rows.places)?;
        let columns = [
            ("ts", ts),
            ("symbol", symbol),
            ("side", Arc::new(Int8Array::from(rows.side)) as ArrayRef),
            ("qty", floats(rows.qty)),
            ("price", floats(rows.price)),
            ("value", floats(rows.value)),
            ("commission", floats(rows.commission)),
            ("slippage", floats(padded(rows.slippage, count))),
            ("spread", floats(padded(rows.spread, count))),
            ("impact", floats(padded(rows.impact, count))),
            ("reason", reasons),
        ];
        table("fills", columns)
    }

    /// The table `targets`; a weight that keeps a position is null.
    ///
    /// # Errors
    /// When a row is none of the labels', or there are not as many weights as symbols for each.
    pub fn targets(&self, rows: &TargetRows) -> Result<RecordBatch> {
        let width = self.symbols.len();
        let ts: UInt32Array = rows
            .row
            .iter()
            .flat_map(|row| std::iter::repeat_n(*row, width))
            .collect();
        let all = 0..u32::try_from(width).unwrap_or(u32::MAX);
        let symbols: UInt32Array = rows.row.iter().flat_map(|_| all.clone()).collect();
        let weights = rows.weights.iter().map(|w| (!w.is_nan()).then_some(*w));
        let weights: ArrayRef = Arc::new(weights.collect::<Float64Array>());
        let columns = [
            ("ts", self.ts(&ts)?),
            ("symbol", self.symbol(&symbols)?),
            ("weight", weights),
        ];
        table("targets", columns)
    }

    /// The table `stop_events`.
    ///
    /// # Errors
    /// When a row or a symbol is none of the labels'.
    pub fn stop_events(&self, stops: &[StopEvent]) -> Result<RecordBatch> {
        let (ts, symbol) = self.at(stops.iter().map(|stop| (stop.row, Some(stop.symbol))))?;
        let floats = |value: fn(&StopEvent) -> f64| floats(stops.iter().map(value).collect());
        let reasons = stops.iter().map(|stop| Some(stop.kind.as_str()));
        let columns = [
            ("ts", ts),
            ("symbol", symbol),
            (
                "reason",
                Arc::new(reasons.collect::<StringViewArray>()) as ArrayRef,
            ),
            ("level", floats(|stop| stop.level)),
            ("trigger", floats(|stop| stop.trigger)),
            ("exit_price", floats(|stop| stop.exit_price)),
            ("qty", floats(|stop| stop.qty)),
        ];
        table("stop_events", columns)
    }

    /// The table `events`; what can't be said is null.
    ///
    /// # Errors
    /// When a row or a symbol is none of the labels'.
    pub fn events(&self, events: &[Event]) -> Result<RecordBatch> {
        let (ts, symbol) = self.at(events.iter().map(|event| (event.row, event.symbol)))?;
        let kinds = events.iter().map(|event| Some(event.kind.as_str()));
        let columns = [
            ("ts", ts),
            ("symbol", symbol),
            (
                "kind",
                Arc::new(kinds.collect::<StringViewArray>()) as ArrayRef,
            ),
            ("wanted", maybe(events.iter().map(|event| event.wanted))),
            ("done", maybe(events.iter().map(|event| event.done))),
        ];
        table("events", columns)
    }

    /// The table `positions`: what a portfolio holds and has held.
    ///
    /// # Errors
    /// When Arrow can't make it.
    pub fn positions<'p>(
        positions: impl Iterator<Item = (&'p str, &'p Position)>,
    ) -> Result<RecordBatch> {
        let rows: Vec<(&str, &Position)> = positions.collect();
        let floats =
            |value: fn(&Position) -> f64| floats(rows.iter().map(|(_, p)| value(p)).collect());
        let option = |value: fn(&Position) -> Option<f64>| {
            Arc::new(rows.iter().map(|(_, p)| value(p)).collect::<Float64Array>()) as ArrayRef
        };
        let symbols = rows.iter().map(|(symbol, _)| Some(*symbol));
        let columns = [
            (
                "symbol",
                Arc::new(symbols.collect::<StringViewArray>()) as ArrayRef,
            ),
            ("qty", floats(|p| p.qty)),
            ("avg_price", floats(|p| p.avg_price)),
            ("price", option(|p| p.mark)),
            ("value", option(Position::value)),
            ("realized", floats(|p| p.realized)),
            ("unrealized", option(Position::unrealized)),
        ];
        table("positions", columns)
    }

    /// The table `drawdowns`, in order of time; `recovery` is null where there is none yet, and `periods` goes from the
    /// peak to it or to the last row.
    ///
    /// # Errors
    /// When a row is none of the labels'.
    pub fn drawdowns(&self, falls: &[Drawdown]) -> Result<RecordBatch> {
        let last = self.times.len().saturating_sub(1);
        let at = |row: fn(&Drawdown) -> usize| self.ts(&numbers(falls.iter().map(row)));
        let recovery: UInt32Array = falls
            .iter()
            .map(|fall| fall.recovery.and_then(small))
            .collect();
        let periods = falls
            .iter()
            .map(|fall| fall.recovery.unwrap_or(last) - fall.peak);
        let columns = [
            ("peak", at(|fall| fall.peak)?),
            ("trough", at(|fall| fall.trough)?),
            ("recovery", self.ts(&recovery)?),
            (
                "depth",
                floats(falls.iter().map(|fall| fall.depth).collect()),
            ),
            ("periods", Arc::new(numbers(periods)) as ArrayRef),
        ];
        table("drawdowns", columns)
    }

    fn at(
        &self,
        places: impl Iterator<Item = (usize, Option<usize>)> + Clone,
    ) -> Result<(ArrayRef, ArrayRef)> {
        let rows = numbers(places.clone().map(|(row, _)| row));
        let symbols: UInt32Array = places.map(|(_, symbol)| symbol.and_then(small)).collect();
        Ok((self.ts(&rows)?, self.symbol(&symbols)?))
    }
}

/// The table `metrics`, from names and numbers; what can't be said is null.
///
/// # Errors
/// When Arrow can't make it.
pub fn metrics_table(numbers: &[(&str, f64)]) -> Result<RecordBatch> {
    let names = numbers.iter().map(|(name, _)| Some(*name));
    let columns = [
        (
            "metric",
            Arc::new(names.collect::<StringViewArray>()) as ArrayRef,
        ),
        ("value", maybe(numbers.iter().map(|(_, value)| *value))),
    ];
    table("metrics", columns)
}

/// The table `periods`; `month` is null for whole years.
///
/// # Errors
/// When Arrow can't make it.
pub fn periods_table(periods: &[PeriodReturn]) -> Result<RecordBatch> {
    let months: UInt32Array = periods.iter().map(|period| period.month).collect();
    let years: Int64Array = periods.iter().map(|period| Some(period.year)).collect();
    let columns = [
        ("year", Arc::new(years) as ArrayRef),
        ("month", Arc::new(months)),
        (
            "ret",
            floats(periods.iter().map(|period| period.ret).collect()),
        ),
        (
            "periods",
            Arc::new(numbers(periods.iter().map(|period| period.periods))),
        ),
    ];
    table("periods", columns)
}

/// What one parameter set came to: metrics and further numbers by name, or what went wrong.
pub type SweepRow = std::result::Result<(Metrics, Vec<(&'static str, f64)>), String>;

/// The table `sweep`: parameters as they were given, then the metrics of each set and what went wrong with it.
///
/// # Errors
/// When the columns differ in length or repeat a name.
pub fn sweep_table(
    parameters: Vec<(String, ArrayRef)>,
    results: &[SweepRow],
) -> Result<RecordBatch> {
    let mut columns = parameters;
    let more = results.iter().find_map(|result| result.as_ref().ok());
    let more: Vec<&str> = more.map_or_else(Vec::new, |(_, more)| {
        more.iter().map(|(name, _)| *name).collect()
    });
    for (at, name) in more.iter().enumerate() {
        let value = |result: &SweepRow| result.as_ref().map_or(f64::NAN, |(_, more)| more[at].1);
        columns.push(((*name).to_owned(), maybe(results.iter().map(value))));
    }
    let values: Vec<Vec<f64>> = results
        .iter()
        .map(|result| match result {
            Ok((metrics, _)) => metrics.values(),
            Err(_) => vec![f64::NAN; Metrics::NAMES.len()],
        })
        .collect();
    for (at, name) in Metrics::NAMES.iter().enumerate() {
        columns.push(((*name).to_owned(), maybe(values.iter().map(|row| row[at]))));
    }
    let errors = results.iter().map(|result| result.as_ref().err());
    columns.push((
        "error".to_owned(),
        Arc::new(errors.collect::<StringViewArray>()),
    ));
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new(name, array.data_type().clone(), true));
    let fields: Vec<Field> = fields.collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema("sweep", fields)), arrays)
}

fn small(number: usize) -> Option<u32> {
    u32::try_from(number).ok()
}

fn numbers(values: impl Iterator<Item = usize>) -> UInt32Array {
    values.map(small).collect()
}

fn floats(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::new(values.into(), None))
}

/// A column with zeros where it has no more values. Memory of nothing but zeros costs nothing until somebody looks.
fn padded(mut values: Vec<f64>, len: usize) -> Vec<f64> {
    if values.is_empty() {
        return vec![0.0; len];
    }
    values.resize(len, 0.0);
    values
}

/// Numbers that are null where they are NaN.
fn maybe(values: impl Iterator<Item = f64>) -> ArrayRef {
    let values = values.map(|value| (!value.is_nan()).then_some(value));
    Arc::new(values.collect::<Float64Array>())
}

fn reasons(reasons: &[FillReason]) -> Result<ArrayRef> {
    if let [first, rest @ ..] = reasons
        && rest.iter().all(|reason| reason == first)
    {
        let name = StringViewArray::from_iter_values([first.as_str()]);
        return arrow_select::take::take(&name, &UInt8Array::from(vec![0; reasons.len()]), None);
    }
    let mut known: Vec<FillReason> = Vec::new();
    let code = |reason: &FillReason| {
        let at = known.iter().position(|k| k == reason).unwrap_or_else(|| {
            known.push(*reason);
            known.len() - 1
        });
        small(at)
    };
    let codes: UInt32Array = reasons.iter().map(code).collect();
    let names: StringViewArray = known.iter().map(|reason| Some(reason.as_str())).collect();
    arrow_select::take::take(&names, &codes, None)
}

fn schema(name: &str, fields: Vec<Field>) -> Schema {
    let metadata = [
        (TABLE_KEY.to_owned(), name.to_owned()),
        (VERSION_KEY.to_owned(), "1".to_owned()),
    ];
    Schema::new_with_metadata(fields, metadata)
}

/// A batch of a table. Only columns that can have nulls may.
fn table<const N: usize>(name: &str, columns: [(&str, ArrayRef); N]) -> Result<RecordBatch> {
    const NULLABLE: &[&str] = &[
        "ret",
        "recovery",
        "wanted",
        "done",
        "month",
        "unrealized",
        "weight",
    ];
    let field = |(column, array): &(&str, ArrayRef)| {
        let data_type = match array.data_type() {
            DataType::Timestamp(_, _) => {
                DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
            }
            other => other.clone(),
        };
        let is_nullable = NULLABLE.contains(column)
            || (name == "metrics" && *column == "value")
            || (name == "events" && *column == "symbol")
            || (name == "positions" && matches!(*column, "price" | "value"));
        Field::new(*column, data_type, is_nullable)
    };
    let fields = columns.iter().map(field).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema(name, fields)), arrays)
}
