//! The extension module `nanobook._lib`, over which the Python package lies.
//!
//! This file only registers. `capsule` is where memory crosses; `table` takes frames in, `frame` and `column` hand
//! them out; `error` makes Python exceptions of the crates' errors; `run` keeps long work interruptible. Every other
//! module binds one crate or one family of functions, and is described by a stub of the same name in
//! `python/nanobook/_lib`. How to write one is in `py/README.md`.

#![allow(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    reason = "docs of classes and functions are docstrings, in Python's form"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "Python's arguments arrive as values of their own"
)]

mod backtest;
mod book;
mod broker;
mod capsule;
mod classic;
mod column;
mod cv;
mod error;
mod exchange;
mod frame;
mod itch;
mod matrix;
mod optimize;
mod probe;
mod risk;
mod run;
mod show;
mod stats;
mod ta;
mod table;
mod trading;
mod volatility;
mod words;

use pyo3::prelude::*;
use pyo3::types::PyModule;

/// What every result is allocated by, and what it keeps for the next one.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Adds a submodule, under its full name so that `import nanobook._lib.NAME` works.
fn add(
    parent: &Bound<'_, PyModule>,
    name: &str,
    fill: impl FnOnce(&Bound<'_, PyModule>) -> PyResult<()>,
) -> PyResult<()> {
    let py = parent.py();
    let path = format!("nanobook._lib.{name}");
    let module = PyModule::new(py, &path)?;
    fill(&module)?;
    parent.add(name, &module)?;
    py.import("sys")?.getattr("modules")?.set_item(path, module)
}

/// The module itself.
#[pymodule]
fn _lib(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    add(module, "backtest", backtest::register)?;
    add(module, "classic", classic::register)?;
    add(module, "frame", frame::register)?;
    add(module, "book", book::register)?;
    add(module, "broker", broker::register)?;
    add(module, "exchange", exchange::register)?;
    add(module, "itch", itch::register)?;
    add(module, "cv", cv::register)?;
    add(module, "optimize", optimize::register)?;
    add(module, "probe", probe::register)?;
    add(module, "risk", risk::register)?;
    add(module, "stats", stats::register)?;
    add(module, "ta", ta::register)?;
    add(module, "volatility", volatility::register)?;
    Ok(())
}
