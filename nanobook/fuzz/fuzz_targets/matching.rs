//! Arbitrary bytes as commands: no panic, never crossed after a command, quantities add up, no level without orders,
//! and every answer is that of the naive twin.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| nanobook::testing::run_bytes(bytes));
