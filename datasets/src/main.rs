//! The command `nanobook`; see [`nanobook_datasets::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    nanobook_datasets::cli::run()
}
