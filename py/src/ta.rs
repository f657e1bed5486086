//! Bindings of `nanobook::indicators`.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, Float64Array};
use arrow_schema::{DataType, Field};
use nanobook::indicators::{
    Ad, AdOsc, Adx, Aroon, AroonOsc, Atr, Bbands, Cci, Dema, Dx, Ema, Indicator, Kama, LinearReg,
    Macd, Mfi, MinusDi, Mom, Natr, Obv, PlusDi, Roc, Rsi, Sar, Sma, StdDev, Stoch, StochF,
    StochRsi, Stream, Tema, TrueRange, UltOsc, WillR, Wma, panel,
};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::capsule;
use crate::column::Column;
use crate::error::Error;
use crate::frame::Frame;
use crate::matrix::{Matrix, Vector};

/// What is done with an indicator once its type is known.
trait Visit {
    type Output;
    fn visit<const I: usize, const O: usize, T>(self, indicator: T) -> Result<Self::Output, Error>
    where
        T: Indicator<I, O> + Clone + Send + Sync + 'static;
}

/// Finds an indicator by its name and parameters.
fn find<V: Visit>(name: &str, parameters: &[f64], visitor: V) -> Result<V::Output, Error> {
    // Python checks that windows are integers; a negative one becomes zero and is refused with its name.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates"
    )]
    let n = |at: usize| parameters.get(at).map_or(0, |value| *value as usize);
    let x = |at: usize| parameters.get(at).copied().unwrap_or(f64::NAN);
    match name {
        "sma" => visitor.visit(Sma::new(n(0))?),
        "ema" => visitor.visit(Ema::new(n(0))?),
        "wma" => visitor.visit(Wma::new(n(0))?),
        "dema" => visitor.visit(Dema::new(n(0))?),
        "tema" => visitor.visit(Tema::new(n(0))?),
        "kama" => visitor.visit(Kama::new(n(0))?),
        "macd" => visitor.visit(Macd::new(n(0), n(1), n(2))?),
        "bbands" => visitor.visit(Bbands::new(n(0), x(1), x(2))?),
        "stddev" => visitor.visit(StdDev::new(n(0), x(1))?),
        "linearreg" => visitor.visit(LinearReg::new(n(0))?),
        "trange" => visitor.visit(TrueRange),
        "atr" => visitor.visit(Atr::new(n(0))?),
        "natr" => visitor.visit(Natr::new(n(0))?),
        "plus_di" => visitor.visit(PlusDi::new(n(0))?),
        "minus_di" => visitor.visit(MinusDi::new(n(0))?),
        "dx" => visitor.visit(Dx::new(n(0))?),
        "adx" => visitor.visit(Adx::new(n(0))?),
        "sar" => visitor.visit(Sar::new(x(0), x(1))?),
        "rsi" => visitor.visit(Rsi::new(n(0))?),
        "stochrsi" => visitor.visit(StochRsi::new(n(0), n(1), n(2))?),
        "stoch" => visitor.visit(Stoch::new(n(0), n(1), n(2))?),
        "stochf" => visitor.visit(StochF::new(n(0), n(1))?),
        "willr" => visitor.visit(WillR::new(n(0))?),
        "cci" => visitor.visit(Cci::new(n(0))?),
        "roc" => visitor.visit(Roc::new(n(0))?),
        "mom" => visitor.visit(Mom::new(n(0))?),
        "ultosc" => visitor.visit(UltOsc::new(n(0), n(1), n(2))?),
        "aroon" => visitor.visit(Aroon::new(n(0))?),
        "aroonosc" => visitor.visit(AroonOsc::new(n(0))?),
        "obv" => visitor.visit(Obv::default()),
        "ad" => visitor.visit(Ad::default()),
        "adosc" => visitor.visit(AdOsc::new(n(0), n(1))?),
        "mfi" => visitor.visit(Mfi::new(n(0))?),
        _ => Err(Error::input(format!("there is no indicator {name:?}"))),
    }
}

/// Runs over the columns of its inputs: symbols by outputs.
struct Run<'a> {
    inputs: Vec<Vec<&'a [f64]>>,
    threads: NonZeroUsize,
}

impl Visit for Run<'_> {
    type Output = Vec<Vec<Vec<f64>>>;

    fn visit<const I: usize, const O: usize, T>(self, indicator: T) -> Result<Self::Output, Error>
    where
        T: Indicator<I, O> + Clone + Send + Sync + 'static,
    {
        let given = self.inputs.len();
        let inputs: [Vec<&[f64]>; I] = self
            .inputs
            .try_into()
            .map_err(|_| Error::input(format!("{I} inputs are needed, not {given}")))?;
        if inputs.iter().all(|symbols| symbols.len() == 1) {
            let columns = inputs.each_ref().map(|symbols| symbols[0]);
            let rows = columns.first().map_or(0, |column| column.len());
            let mut outputs: [Vec<f64>; O] =
                std::array::from_fn(|_| capsule::room_for_doubles(rows));
            indicator
                .append(columns, outputs.each_mut())
                .map_err(Error::from)?;
            return Ok(outputs.into_iter().map(|output| vec![output]).collect());
        }
        let outputs = panel(
            &indicator,
            inputs.each_ref().map(Vec::as_slice),
            self.threads,
        )?;
        Ok(outputs.into_iter().collect())
    }
}

/// A vector or a matrix; a series is a vector.
pub(crate) struct Input(pub(crate) Matrix);

impl<'a, 'py> FromPyObject<'a, 'py> for Input {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(matrix) = Matrix::extract(object) {
            return Ok(Self(matrix));
        }
        let Vector(column) = Vector::extract(object)?;
        Ok(Self(Matrix {
            names: None,
            rows: column.len(),
            columns: vec![column],
        }))
    }
}

/// Columns with names as a frame.
pub(crate) fn frame_of(
    table: &str,
    names: &[String],
    columns: Vec<Vec<f64>>,
) -> Result<Frame, Error> {
    let pairs = names.iter().map(String::as_str).zip(columns);
    Frame::of(
        table,
        pairs
            .map(|(name, values)| (name, Arc::new(Float64Array::from(values)) as ArrayRef))
            .collect(),
    )
}

/// A column of doubles.
pub(crate) fn column_of(name: &str, values: Vec<f64>) -> Column {
    let field = Arc::new(Field::new(name, DataType::Float64, false));
    Column::new(field, Arc::new(Float64Array::from(values)))
}

/// Values of an indicator: a column for each output, or for several symbols a frame for each.
#[pyfunction]
fn run<'py>(
    py: Python<'py>,
    name: &str,
    parameters: Vec<f64>,
    inputs: Vec<Input>,
    threads: Option<usize>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let inputs: Vec<Matrix> = inputs.into_iter().map(|input| input.0).collect();
    let wide = inputs.iter().any(|input| input.columns.len() != 1);
    let names = inputs.first().map(|input| {
        let numbered = || (0..input.columns.len()).map(|at| at.to_string()).collect();
        input.names.clone().unwrap_or_else(numbered)
    });
    let threads = threads
        .and_then(NonZeroUsize::new)
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN);
    let outputs = py.detach(|| {
        let inputs = inputs.iter().map(Matrix::slices).collect();
        find(name, &parameters, Run { inputs, threads })
    })?;
    outputs
        .into_iter()
        .map(|symbols| {
            if wide {
                let names = names.as_deref().unwrap_or_default();
                return Ok(Bound::new(py, frame_of(name, names, symbols)?)?.into_any());
            }
            let values = symbols.into_iter().next().unwrap_or_default();
            Ok(Bound::new(py, column_of(name, values))?.into_any())
        })
        .collect()
}

/// Feeds a stream whose type is no longer known.
trait Feed: Send {
    fn feed(&mut self, row: &[f64]) -> Result<Vec<f64>, Error>;
}

impl<const I: usize, const O: usize, T> Feed for Stream<T, I, O>
where
    T: Indicator<I, O> + Clone + Send + Sync + 'static,
{
    fn feed(&mut self, row: &[f64]) -> Result<Vec<f64>, Error> {
        let row = <[f64; I]>::try_from(row)
            .map_err(|_| Error::input(format!("{I} values are needed, not {}", row.len())))?;
        Ok(self.update(row).to_vec())
    }
}

struct Open;

impl Visit for Open {
    type Output = (Box<dyn Feed>, usize);

    fn visit<const I: usize, const O: usize, T>(self, indicator: T) -> Result<Self::Output, Error>
    where
        T: Indicator<I, O> + Clone + Send + Sync + 'static,
    {
        let lookback = indicator.lookback();
        Ok((Box::new(Stream::new(indicator)), lookback))
    }
}

/// An indicator fed row by row.
#[pyclass(module = "nanobook._lib.ta", name = "Stream", frozen)]
struct PyStream {
    stream: Mutex<Box<dyn Feed>>,
    lookback: usize,
}

#[pymethods]
impl PyStream {
    #[new]
    fn new(name: &str, parameters: Vec<f64>) -> PyResult<Self> {
        let (stream, lookback) = find(name, &parameters, Open)?;
        Ok(Self {
            stream: Mutex::new(stream),
            lookback,
        })
    }

    /// Rows that pass before the first value.
    #[getter]
    fn lookback(&self) -> usize {
        self.lookback
    }

    /// The outputs at the next row.
    fn update(&self, row: Vec<f64>) -> PyResult<Vec<f64>> {
        let mut stream = self
            .stream
            .lock()
            .map_err(|_| Error::input("the stream has failed before"))?;
        Ok(stream.feed(&row)?)
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyStream>()?;
    module.add_function(wrap_pyfunction!(run, module)?)
}
