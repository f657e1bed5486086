//! The engine and its naive twin say the same after every command of many random sessions.

use nanobook::testing::{Seeded, run, run_bytes, session, shrink};

/// Sessions of the differential test; fewer when `NANOBOOK_SESSIONS` says so.
fn sessions() -> u64 {
    std::env::var("NANOBOOK_SESSIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(200_000)
}

#[test]
fn the_engine_equals_its_twin_after_every_command() {
    for seed in 0..sessions() {
        let mut choices = Seeded(seed);
        let length = [10, 20, 30, 60][usize::try_from(seed % 4).unwrap()];
        let (config, events) = session(&mut choices, length);
        if let Err(cause) = std::panic::catch_unwind(|| run(config, &events)) {
            let fewer = shrink(config, events);
            eprintln!("seed {seed}, {config:?}, shortest session that fails: {fewer:#?}");
            std::panic::resume_unwind(cause);
        }
    }
}

/// Long sessions: deep queues, hundreds of prints, rings that grow.
#[test]
fn long_sessions_agree_too() {
    for seed in 0..sessions().min(100_000) / 10_000 {
        let (config, events) = session(&mut Seeded(1_000_000 + seed), 1_500);
        run(config, &events);
    }
}

/// The driver of the fuzz target, from seeded bytes.
#[test]
fn arbitrary_bytes_as_commands_break_nothing() {
    use nanobook::testing::Choices;
    for seed in 0..sessions() / 10 {
        let mut choices = Seeded(2_000_000 + seed);
        let length = choices.below(300);
        let bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(choices.below(256)).unwrap())
            .collect();
        run_bytes(&bytes);
    }
}
