//! Bindings of `nanobook_datasets` and `nanobook_itch`: raw files.

use std::path::{Path, PathBuf};

use nanobook_datasets::{ReplayOptions, Source, replay_into, sample};
use nanobook_itch::Framing;
use nanobook_itch::replay::Config;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use crate::error::Error;
use crate::run::interruptible;

/// The name that stands for the day that is built in.
const SAMPLE: &str = "nanobook:sample";

/// Opens a path, `-` or the sample.
fn open(path: &Path) -> Result<Source, nanobook_datasets::Error> {
    if path == Path::new(SAMPLE) {
        sample()
    } else {
        Source::open(path)
    }
}

fn framing(name: Option<&str>) -> Result<Option<Framing>, Error> {
    match name {
        None => Ok(None),
        Some("length") => Ok(Some(Framing::Length)),
        Some("zero") => Ok(Some(Framing::Zero)),
        Some("none") => Ok(Some(Framing::None)),
        Some(other) => Err(Error::input(format!(
            "framing {other:?} is none of \"length\", \"zero\" and \"none\""
        ))),
    }
}

/// The report of a replay of all books, as JSON and as text.
#[pyfunction]
#[pyo3(signature = (path, *, framing=None, allow_truncated=false))]
fn verify_itch(
    py: Python<'_>,
    path: PathBuf,
    framing: Option<&str>,
    allow_truncated: bool,
) -> PyResult<(String, String, bool)> {
    let options = ReplayOptions {
        framing: self::framing(framing)?,
        allow_truncated,
        ..ReplayOptions::default()
    };
    let report = interruptible(py, move |stop| {
        let source = open(&path)?.without_digest();
        // Times of day are all that is told, so the day does not matter.
        let config = Config::new(nanobook::Timestamp(0));
        replay_into(source, config, &options, stop, &mut ())
    })?;
    let report = report.map_err(Error::Datasets)?;
    let text = format!("{}\n{report}", report.origin.name);
    Ok((report.to_json().to_string(), text, report.has_faults()))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SAMPLE", SAMPLE)?;
    module.add_function(wrap_pyfunction!(verify_itch, module)?)
}
