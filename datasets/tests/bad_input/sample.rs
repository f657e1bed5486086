//! The day that is built in.

use std::io::Read;

use nanobook_datasets::{SAMPLE_MESSAGES, SAMPLE_NAME, SAMPLE_SEED, SAMPLE_SYMBOLS, sample};
use nanobook_itch::synth::{Config, Day};

use crate::support::*;

#[test]
fn the_sample_is_what_the_generator_makes() {
    let config = Config {
        seed: SAMPLE_SEED,
        messages: SAMPLE_MESSAGES,
        symbols: SAMPLE_SYMBOLS,
        ..Config::default()
    };
    let mut made = Vec::new();
    Day::new(config).write_to(&mut made).unwrap();
    let mut unpacked = Vec::new();
    sample().unwrap().read_to_end(&mut unpacked).unwrap();
    // Not with `assert_eq`, which would print megabytes.
    assert!(
        made == unpacked,
        "{} bytes made, {} in the sample",
        made.len(),
        unpacked.len()
    );
    assert_eq!(sample().unwrap().name(), SAMPLE_NAME);
}

#[test]
fn the_command_makes_the_sample() {
    let temporary = folder();
    let path = temporary.path().join(SAMPLE_NAME);
    let name = path.display().to_string();
    let (seed, messages) = (SAMPLE_SEED.to_string(), SAMPLE_MESSAGES.to_string());
    let symbols = SAMPLE_SYMBOLS.to_string();
    let args = [
        "synth",
        "--seed",
        &seed,
        "--messages",
        &messages,
        "--symbols",
        &symbols,
        &name,
    ];
    run(args).succeeded();
    let (ours, theirs) = (run(["verify", &name]), run(["verify", "--sample"]));
    assert_eq!(ours.succeeded().stdout, theirs.succeeded().stdout);
    let (one, two) = (temporary.path().join("one"), temporary.path().join("two"));
    replay(&path, &one, &["--tables", "mbo,trades"]).succeeded();
    let two_name = two.display().to_string();
    run([
        "replay",
        "--sample",
        "--out",
        &two_name,
        "--tables",
        "mbo,trades",
    ])
    .succeeded();
    let rows = |out: &str| -> Vec<String> {
        let listed = run(["ls", out]).succeeded().stdout;
        listed
            .lines()
            .map(|line| line.split_whitespace().take(3).collect())
            .collect()
    };
    assert_eq!(rows(&one.display().to_string()), rows(&two_name));
}
