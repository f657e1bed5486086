//! The command `rebalancer`; see [`nanobook_rebalance::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    nanobook_rebalance::cli::run()
}
