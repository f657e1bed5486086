//! Long work without the GIL that Ctrl-C can end.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use nanobook_datasets::Stop;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How often Python is asked whether somebody pressed Ctrl-C.
const CHECK: Duration = Duration::from_millis(50);

/// How long work that was asked to stop may take to clean up before it is left to itself: a feed may be silent.
const PATIENCE: Duration = Duration::from_millis(150);

/// Does `work` on a thread of its own while this one waits without the GIL and looks for signals.
///
/// Work looks at `stop` often, and leaves nothing unfinished when it is asked for. For work of under a tenth of a
/// second `py.detach` does.
///
/// # Errors
/// `KeyboardInterrupt`, or what a signal handler raised.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&Stop) -> T + Send + 'static,
) -> PyResult<T> {
    watched(py, work, |_| Ok(()))
}

/// [`interruptible`], and calls `tick` with the GIL every so often, which may raise to end the work.
pub(crate) fn watched<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&Stop) -> T + Send + 'static,
    mut tick: impl FnMut(Python<'_>) -> PyResult<()>,
) -> PyResult<T> {
    let stop = Arc::new(Stop::new());
    let (sender, receiver) = sync_channel(1);
    let theirs = Arc::clone(&stop);
    std::thread::Builder::new()
        .name("nanobook".to_owned())
        .spawn(move || {
            // Nobody listens any more when the work was given up.
            let _ = sender.send(work(&theirs));
        })?;
    // `Receiver` is not `Sync`: it moves into each wait and back.
    let mut receiver = receiver;
    loop {
        let (answer, back) = py.detach(move || (receiver.recv_timeout(CHECK), receiver));
        receiver = back;
        match answer {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(
                    "the work panicked; see standard error",
                ));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Err(raised) = py.check_signals().and_then(|()| tick(py)) {
            stop.ask();
            py.detach(move || drop(receiver.recv_timeout(PATIENCE)));
            return Err(raised);
        }
    }
}
