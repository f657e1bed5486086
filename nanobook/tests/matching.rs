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

/// More prints than a mean can look back on, with stops that look back on all of them.
#[test]
fn a_thousand_prints_and_more_are_remembered_as_long_as_they_matter() {
    use nanobook::matching::{Config, Event};
    use nanobook::testing::{Choices, Pair, TICK};
    use nanobook::{OrderKind, OrderRequest, Price, Qty, Side, Trail};

    let mut choices = Seeded(9);
    let mut pair = Pair::new(Config {
        keep_closed: Some(0),
        ..Config::default()
    });
    let mut submit = |request| {
        pair.apply(Event::Submit(request)).unwrap();
    };
    for (period, multiplier_ppm) in [(1_024, 1_000_000), (1_023, 3_000_000), (7, 9_000_000)] {
        let trail = Trail::MeanAbsChange {
            multiplier_ppm,
            period,
        };
        let kind = OrderKind::TrailingStopMarket {
            stop: Price(TICK),
            trail,
        };
        submit(OrderRequest::new(Side::Sell, kind, Qty(1)));
    }
    for _ in 0..22 {
        for _ in 0..50 {
            let price = Price(TICK * 100 * (100 + i64::try_from(choices.below(50)).unwrap()));
            submit(OrderRequest::limit(Side::Sell, price, Qty(1)));
        }
        submit(OrderRequest::market(Side::Buy, Qty(50)));
    }
    pair.compare_orders();
    assert_eq!(
        pair.engine.pending_stops().len(),
        0,
        "each has met its print"
    );
}
