//! The sample day that is built into the command: made by our own generator, small, with every kind of message.

use crate::Result;
use crate::source::Source;

/// Name of the sample file; it tells its date.
pub const SAMPLE_NAME: &str = "01302020.NASDAQ_ITCH50.gz";

/// Seed, messages and symbols from which `nanobook synth` makes the sample.
pub const SAMPLE_SEED: u64 = 20_200_130;
/// Messages of the sample.
pub const SAMPLE_MESSAGES: u64 = 50_000;
/// Symbols of the sample.
pub const SAMPLE_SYMBOLS: u16 = 40;

static SAMPLE: &[u8] = include_bytes!("../data/01302020.NASDAQ_ITCH50.gz");

/// The sample day as a source.
///
/// # Errors
/// None in practice: its bytes are part of the program.
pub fn sample() -> Result<Source> {
    Source::from_bytes(SAMPLE_NAME, SAMPLE)
}
