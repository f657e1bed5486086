//! What the command does with what it cannot use: damaged files, full disks, signals, wrong arguments.
//!
//! Each run ends with the documented exit code and one line that says where and what; nothing panics, and a folder
//! that a run failed to fill holds nothing that looks finished.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod damage;
mod days;
mod disk;
mod pipes;
mod sample;
mod shared_files;
#[cfg(unix)]
mod signals;
mod support;
mod usage;
