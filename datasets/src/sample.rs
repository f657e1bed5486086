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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_one_of_the_manifest() {
        let manifest = include_str!("../data/MANIFEST.toml");
        let origin = sample().unwrap().finish().unwrap();
        assert!(manifest.contains(&format!("[[\"{SAMPLE_NAME}\"]]")));
        assert!(manifest.contains(&format!("sha256 = \"{}\"", origin.sha256.unwrap())));
        assert!(manifest.contains(&format!("bytes = {}", origin.bytes)));
        let arguments =
            format!("--seed {SAMPLE_SEED} --messages {SAMPLE_MESSAGES} --symbols {SAMPLE_SYMBOLS}");
        assert!(manifest.contains(&arguments));
    }
}
