//! All checks over frames.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::types::{Decimal128Type, UInt32Type};
use arrow_array::{
    ArrayRef, PrimitiveArray, RecordBatch, StringViewArray, TimestampNanosecondArray,
};
use arrow_schema::DataType;
use nanobook::trading::{Account, Instrument, Position, Quote, RiskCheckRow};
use nanobook::{Money, Timestamp};
use nanobook_arrow::trading::TradingTable;
use nanobook_risk::{
    Day, Proceeds, Report, RiskCheck, RiskEngine, Session, Situation, Subject, Targets,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyListMethods};

use crate::error::Error;
use crate::frame::Frame;
use crate::table::Table;
use crate::trading::{self, Default};
use crate::words;

/// What the checks of orders found.
///
/// It can be counted, printed and asked; its rows are the frame `checks`.
#[pyclass(module = "nanobook", frozen)]
pub(crate) struct RiskReport {
    /// One row a check and subject: `ts, run_id, check_code, level, subject, order_index, limit, observed, unit,
    /// outcome, detail`. Limit and observed value are exact decimals, null for a yes or no and where they are not known.
    #[pyo3(get)]
    checks: Frame,
    text: String,
    passed: bool,
    failed: usize,
    warned: usize,
}

#[pymethods]
impl RiskReport {
    /// Whether no hard check failed, so that the orders may be sent.
    #[getter]
    fn passed(&self) -> bool {
        self.passed
    }

    /// How many hard checks failed.
    #[getter]
    fn failed(&self) -> usize {
        self.failed
    }

    /// How many soft checks did not hold.
    #[getter]
    fn warned(&self) -> usize {
        self.warned
    }

    fn __len__(&self) -> usize {
        self.checks.num_rows()
    }

    fn __bool__(&self) -> bool {
        self.passed
    }

    fn __repr__(&self) -> &str {
        &self.text
    }
}

/// A frame of the arguments, if it is given; an empty list is a frame without rows.
fn table(given: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<Table>> {
    match given.get_item(name)? {
        Some(object) if object.cast::<PyList>().is_ok_and(PyListMethods::is_empty) => {
            Ok(Some(Table::nothing()))
        }
        Some(object) if !object.is_none() => Ok(Some(Table::take(&object, None)?)),
        _ => Ok(None),
    }
}

fn value<'py, T>(given: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    match given.get_item(name)? {
        Some(object) if !object.is_none() => Ok(Some(object.extract()?)),
        _ => Ok(None),
    }
}

/// The rows of a frame, if it is given, and else what stands for it.
fn rows<T: TradingTable>(
    given: &Bound<'_, PyDict>,
    name: &str,
    defaults: &[(&str, Default)],
) -> PyResult<Option<Vec<T>>> {
    let table = table(given, name)?;
    Ok(table
        .map(|table| trading::rows(&table, defaults))
        .transpose()?)
}

/// Runs all checks of limits (TOML) over orders. `given` has the frames, `state` the numbers and flags; what is not in
/// them is not known, and what needs it fails.
#[pyfunction]
#[pyo3(signature = (limits, orders, given, state, *, now, run_id=""))]
fn check(
    py: Python<'_>,
    limits: &str,
    orders: Table,
    given: &Bound<'_, PyDict>,
    state: &Bound<'_, PyDict>,
    now: i64,
    run_id: &str,
) -> PyResult<RiskReport> {
    let limits = super::read(limits)?;
    let orders = trading::new_orders(&orders)?;
    let no_account = [("account_id", Default::Text(""))];
    let account = rows::<Account>(given, "account", &[])?;
    let account = match account.as_deref() {
        None => None,
        Some([account]) => Some(account.clone()),
        Some(many) => {
            let message = format!("account has {} rows, and one is needed", many.len());
            return Err(Error::input(message).into());
        }
    };
    let positions = rows::<Position>(given, "positions", &no_account)?;
    let quotes = rows::<Quote>(given, "quotes", &[])?.unwrap_or_default();
    let instruments = rows::<Instrument>(given, "instruments", &[])?.unwrap_or_default();
    let lists = |name| -> PyResult<_> {
        let list = table(given, name)?.map(|table| trading::quantities(&table));
        Ok(list.transpose()?.unwrap_or_default())
    };
    let (volumes, located) = (lists("volumes")?, lists("located")?);
    let working = table(given, "working")?.map(|table| trading::working(&table));
    let working = working.transpose()?;
    let plan = table(given, "plan")?.map(|table| trading::new_orders(&table));
    let plan = plan.transpose()?;
    let weights = table(given, "targets")?.map(|table| trading::weights(&table));
    let weights = weights.transpose()?;
    let targets = match (&weights, value::<i64>(state, "targets_as_of")?) {
        (Some(weights), Some(as_of)) => Some(Targets {
            as_of: Timestamp(as_of),
            weights,
        }),
        (Some(_), None) => return Err(Error::input("targets need targets_as_of").into()),
        (None, _) => None,
    };
    let money = |name| -> PyResult<Option<Money>> {
        let text = value::<String>(state, name)?;
        let money = text.map(|text| {
            nanobook::trading::decimal::money(&text)
                .map_err(|error| Error::input(format!("{name} {text:?}: {error}")))
        });
        Ok(money.transpose()?)
    };
    let day = Day {
        start_equity: money("start_equity")?,
        peak_equity: money("peak_equity")?,
        traded: money("traded")?,
    };
    let account_id = value::<String>(state, "account_id")?;
    let proceeds = match value::<String>(state, "proceeds")?.as_deref() {
        None | Some("ignored") => Proceeds::Ignored,
        Some("sold_first") => Proceeds::SoldFirst,
        Some(other) => {
            return Err(words::choice("proceeds", other, &["ignored", "sold_first"]).into());
        }
    };
    let situation = Situation {
        working: working.as_deref(),
        positions: positions.as_deref(),
        account: account.as_ref(),
        quotes: &quotes,
        instruments: &instruments,
        volumes: &volumes,
        located: &located,
        proceeds,
        targets: targets.as_ref(),
        plan: plan.as_deref(),
        day: (day != Day::default()).then_some(day),
        session: Session {
            kill_switch: value(state, "kill_switch")?,
            halted: value(state, "halted")?,
            reduce_only: value(state, "reduce_only")?,
            market_open: value(state, "market_open")?,
            account_id: account_id.as_deref(),
            paper: value(state, "paper")?,
            unexplained: value(state, "unexplained")?,
            orders_sent: value(state, "orders_sent")?,
            messages_sent: value(state, "messages_sent")?,
            runs: value(state, "runs")?,
        },
        ..Situation::new(Timestamp(now))
    };
    let (report, batch) = py.detach(|| {
        let report: Report = RiskEngine::new(limits).check(&orders, &situation);
        let batch = batch(&report, now, run_id);
        (report, batch)
    });
    Ok(RiskReport {
        checks: batch?.into(),
        text: report.to_string(),
        passed: report.passed(),
        failed: report.failed(),
        warned: report.warned(),
    })
}

/// The rows as the table `risk_checks`: the batch of `Report::table`, made column by column, because there are many.
fn batch(report: &Report, now: i64, run_id: &str) -> Result<RecordBatch, Error> {
    let rows = report.rows();
    let text = |word: &dyn Fn(&RiskCheck) -> String| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(word)))
    };
    let word = |word: fn(&RiskCheck) -> &'static str| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(word)))
    };
    let decimal = |value: fn(&RiskCheck) -> Option<i128>| -> Result<ArrayRef, Error> {
        let array: PrimitiveArray<Decimal128Type> = rows.iter().map(value).collect();
        let array = array.with_data_type(DataType::Decimal128(38, 9));
        array.validate_decimal_precision(38).map_err(Error::Arrow)?;
        Ok(Arc::new(array))
    };
    let times = TimestampNanosecondArray::from_value(now, rows.len()).with_timezone("UTC");
    let runs = StringViewArray::from_iter_values(std::iter::repeat_n(run_id, rows.len()));
    let places: PrimitiveArray<UInt32Type> = rows
        .iter()
        .map(|row| match row.subject {
            Subject::Order { index, .. } => Some(index),
            _ => None,
        })
        .collect();
    // Texts of more than twelve bytes lie in a buffer: one of each is enough.
    let mut details = StringViewBuilder::new().with_deduplicate_strings();
    for row in rows {
        details.append_value(row.finding.reason.to_string());
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times),
        Arc::new(runs),
        word(|row| row.check.code()),
        word(|row| row.check.level().as_str()),
        text(&|row| report.subject(row)),
        Arc::new(places),
        decimal(|row| row.finding.limit)?,
        decimal(|row| row.finding.observed)?,
        word(|row| row.check.unit().as_str()),
        word(|row| row.outcome.as_str()),
        Arc::new(details.finish()),
    ];
    RecordBatch::try_new(RiskCheckRow::schema(), columns).map_err(Error::Arrow)
}

pub(super) fn register(module: &Bound<'_, pyo3::types::PyModule>) -> PyResult<()> {
    module.add_class::<RiskReport>()?;
    module.add_function(wrap_pyfunction!(check, module)?)
}
