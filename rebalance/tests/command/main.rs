//! The real command: its process, its files, its exit codes, and venues behind real sockets.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]
#![allow(
    clippy::float_cmp,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::print_stderr,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "numbers that are exact, texts that are small, and names of what is compared"
)]

mod day;
mod end_to_end;
mod faults;
mod kill;
mod prompt;
mod readme;
mod support;
mod venues;
