//! The backtest from outside: reference cases, identities, the mistakes of prior engines, bad input.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "helpers of tests are tests, and exact numbers are meant where they stand"
)]

mod data;
mod mistakes;
mod oracle;
mod presets;
mod rules;
mod small;
