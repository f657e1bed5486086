//! The event log: replaying it gives the same outputs and the same state, from memory, from a file, from a cut file.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

use std::fmt::Write;

use nanobook::matching::persist::{self, Error, EventWriter, Loaded};
use nanobook::matching::{Config, Engine, Event, Log, Output, ReplayError};
use nanobook::testing::{Seeded, session};
use nanobook::{
    Exchange, MultiEvent, MultiExchange, OrderId, OrderRequest, Owner, Price, Qty, Side, StpPolicy,
    Symbol, TimeInForce,
};

/// A live engine after a session, with all its outputs and its digest after every event that it took.
fn live(seed: u64, length: usize) -> (Engine, Vec<Output>, Vec<u64>) {
    let (config, events) = session(&mut Seeded(seed), length);
    let mut engine = Engine::new(config);
    let mut out = Vec::new();
    let mut digests = vec![engine.digest()];
    for event in events {
        if engine.apply(event, &mut out).is_ok() {
            digests.push(engine.digest());
        }
    }
    (engine, out, digests)
}

fn prefix(log: &Log, n: usize) -> Log {
    let mut prefix = Log::new(log.config());
    for event in log.events().take(n) {
        prefix.push(&event);
    }
    prefix
}

fn file(log: &Log) -> Vec<u8> {
    let mut bytes = Vec::new();
    persist::write(log, &mut bytes).unwrap();
    bytes
}

#[test]
fn replay_equals_live_after_every_event() {
    for seed in 0..400 {
        let (engine, out, digests) = live(seed, 40);
        assert_eq!(engine.log().len() + 1, digests.len() as u64);
        for (n, digest) in digests.iter().enumerate() {
            let again = prefix(engine.log(), n).replay(&mut Vec::new()).unwrap();
            assert_eq!(again.digest(), *digest, "seed {seed}, after {n} events");
        }
        let mut out_again = Vec::new();
        let again = engine.log().replay(&mut out_again).unwrap();
        assert_eq!(out_again, out, "seed {seed}");
        assert_eq!(again.log(), engine.log(), "the log of a replay is the log");
    }
}

#[test]
fn what_is_saved_loads_and_replays_to_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.jsonl");
    for seed in 1_000..1_200 {
        let (engine, out, _) = live(seed, 60);
        persist::save(engine.log(), &path).unwrap();
        let Loaded { log, torn } = persist::load(&path).unwrap();
        assert_eq!((&log, torn), (engine.log(), None));
        let mut out_again = Vec::new();
        assert_eq!(
            log.replay(&mut out_again).unwrap().digest(),
            engine.digest()
        );
        assert_eq!(out_again, out);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no half-written file is left");
}

#[test]
fn a_file_cut_at_any_byte_gives_the_events_before_the_cut() {
    for seed in [7, 8, 9] {
        let (engine, _, digests) = live(seed, 25);
        let bytes = file(engine.log());
        let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        for cut in 0..=bytes.len() {
            let text = &bytes[..cut];
            let loaded = persist::read(text);
            if cut < header {
                assert!(matches!(loaded, Err(Error::NotALog)), "cut at {cut}");
                continue;
            }
            let Loaded { log, torn } = loaded.unwrap();
            let lines = text.split(|byte| *byte == b'\n').count() - 1;
            // The last line needs no newline to be whole.
            let whole = bytes.get(cut) == Some(&b'\n');
            let events = if whole {
                lines
            } else {
                lines.saturating_sub(1)
            };
            assert_eq!(log.len(), events as u64, "cut at {cut}");
            let again = log.replay(&mut Vec::new()).unwrap();
            assert_eq!(again.digest(), digests[events], "cut at {cut}");
            let rest = text.rsplit(|byte| *byte == b'\n').next().unwrap().len() as u64;
            match torn {
                None => assert!(whole || rest == 0, "cut at {cut}: a torn line is reported"),
                Some(torn) => {
                    assert_eq!((torn.bytes, torn.offset + torn.bytes), (rest, cut as u64));
                    assert_eq!(torn.line, lines as u64 + 1);
                    assert!(!whole, "cut at {cut}: a whole line is not torn");
                }
            }
        }
    }
}

#[test]
fn a_damaged_file_says_where() {
    let (engine, ..) = live(3, 30);
    let good = String::from_utf8(file(engine.log())).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let offset = lines[0].len() as u64 + 1;
    let with = |lines: &[&str]| persist::read(format!("{}\n", lines.join("\n")).as_bytes());

    let mut damaged = lines.clone();
    damaged[1] = "{\"seq\":0,\"event\":{\"subm";
    let Err(Error::BadLine {
        line: 2,
        offset: at,
        ..
    }) = with(&damaged)
    else {
        panic!("a line that is not the last can't be torn");
    };
    assert_eq!(at, offset);

    let mut missing = lines.clone();
    missing.remove(1);
    let expected = (2, 0, 1);
    let Err(Error::Gap {
        line,
        expected: e,
        found,
    }) = with(&missing)
    else {
        panic!("a missing event is seen");
    };
    assert_eq!((line, e, found), expected);

    let newer = good.replacen("\"version\":1", "\"version\":2", 1);
    let loaded = persist::read(newer.as_bytes());
    assert!(matches!(loaded, Err(Error::Version { found: 2 })));
    let other = good.replacen("engine-events", "other-events", 1);
    assert!(matches!(
        persist::read(other.as_bytes()),
        Err(Error::NotALog)
    ));
    assert!(matches!(persist::read(&b""[..]), Err(Error::NotALog)));
    assert!(matches!(persist::load("/no/such/file"), Err(Error::Io(_))));
}

#[test]
fn a_log_that_was_cleared_or_made_up_does_not_replay() {
    let mut exchange = Exchange::new();
    exchange.submit_limit(Side::Buy, Price(5), 1, TimeInForce::GTC);
    exchange.clear_events();
    exchange.submit_limit(Side::Buy, Price(5), 1, TimeInForce::GTC);
    assert_eq!(exchange.events().len(), 1);
    let cleared = ReplayError::Cleared { cleared: 1 };
    let log = exchange.engine().log();
    assert_eq!((log.cleared(), log.is_empty()), (1, false));
    assert_eq!(log.replay(&mut Vec::new()).unwrap_err(), cleared);
    assert_eq!(Exchange::replay(log).unwrap_err(), cleared);
    let written = persist::write(log, Vec::new());
    assert!(matches!(
        written,
        Err(Error::Replay(ReplayError::Cleared { cleared: 1 }))
    ));

    let mut made_up = Log::new(Config::default());
    made_up.push(&Event::Resume);
    made_up.push(&Event::Cancel { id: OrderId(1) });
    let refused = made_up.replay(&mut Vec::new()).unwrap_err();
    assert!(matches!(refused, ReplayError::Refused { seq: 1, .. }));
}

/// The text in the documentation of `persist` is what is written, event by event.
#[test]
fn the_documented_schema_is_what_is_written() {
    let submit = OrderRequest::limit(Side::Buy, Price(50_000_000_000), Qty(5));
    let (id, price, qty) = (OrderId(1), Price(5), Qty(2));
    let events = [
        (
            Event::Submit(submit),
            r#"{"submit":{"side":"buy","kind":{"limit":{"price":50000000000}},"qty":5,"tif":"GTC","post_only":false,"owner":null}}"#,
        ),
        (Event::Cancel { id }, r#"{"cancel":{"id":1}}"#),
        (Event::Reduce { id, qty }, r#"{"reduce":{"id":1,"qty":2}}"#),
        (
            Event::Replace { id, price, qty },
            r#"{"replace":{"id":1,"price":5,"qty":2}}"#,
        ),
        (
            Event::MassCancel { owner: Owner(7) },
            r#"{"mass_cancel":{"owner":7}}"#,
        ),
        (Event::BeginAuction, r#""begin_auction""#),
        (
            Event::Uncross { reference: None },
            r#"{"uncross":{"reference":null}}"#,
        ),
        (Event::Resume, r#""resume""#),
        (
            Event::SetStpPolicy(StpPolicy::Decrement),
            r#"{"set_stp_policy":"decrement"}"#,
        ),
        (Event::ForgetClosed, r#""forget_closed""#),
    ];
    let mut expected = String::from(
        r#"{"nanobook":"engine-events","version":1,"config":{"stp":"off","keep_closed":null,"cascade_limit":1000,"min_price":1,"record":true}}"#,
    );
    let mut writer = EventWriter::new(Vec::new(), Config::default()).unwrap();
    let source = include_str!("../src/matching/persist.rs");
    assert!(source.contains(&expected), "the header is documented");
    for (seq, (event, text)) in events.iter().enumerate() {
        writer.write(event).unwrap();
        write!(expected, "\n{{\"seq\":{seq},\"event\":{text}}}").unwrap();
        assert!(source.contains(text), "{text} is documented");
    }
    let written = String::from_utf8(writer.into_inner()).unwrap();
    assert_eq!(written, expected + "\n");
    let loaded = persist::read(written.as_bytes()).unwrap();
    assert!(loaded.log.events().eq(events.map(|(event, _)| event)));
}

/// The digest is the same on every machine and in every version that keeps its number.
#[test]
fn the_digest_of_known_sessions_does_not_change() {
    assert_eq!(nanobook::matching::DIGEST_VERSION, 1);
    let digests = [0, 1, 2].map(|seed| live(seed, 200).0.digest());
    assert_eq!(digests, GOLDEN);
}

const GOLDEN: [u64; 3] = [
    3_669_881_902_106_665_276,
    5_176_339_174_309_483_532,
    13_095_472_487_641_609_864,
];

#[test]
fn an_exchange_replays_with_its_tape_and_saves_itself() {
    let mut exchange = Exchange::with_stp_policy(StpPolicy::CancelOldest);
    let (_, events) = session(&mut Seeded(5), 300);
    for event in events {
        let _ = exchange.apply(&event);
    }
    assert!(exchange.trades().len() > 20);
    let again = Exchange::replay(exchange.engine().log()).unwrap();
    assert_eq!(again.trades(), exchange.trades());
    assert_eq!(again.engine().digest(), exchange.engine().digest());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exchange.jsonl");
    exchange.save(&path).unwrap();
    let loaded = Exchange::load(&path).unwrap();
    assert_eq!(loaded.engine().digest(), exchange.engine().digest());
}

#[test]
fn many_instruments_replay_together() {
    let symbols: [Symbol; 3] = ["A", "B", "C"].map(|text| text.parse().unwrap());
    for seed in 0..100 {
        let (config, events) = session(&mut Seeded(seed), 120);
        let mut exchange = MultiExchange::new(config);
        let mut out = Vec::new();
        for symbol in symbols {
            exchange.list(symbol);
        }
        for (n, event) in events.into_iter().enumerate() {
            let event = match event {
                Event::MassCancel { .. } | Event::SetStpPolicy(_) | Event::ForgetClosed => {
                    MultiEvent::All(event)
                }
                _ => MultiEvent::One(symbols[n % 3], event),
            };
            let _ = exchange.apply(event, &mut out);
        }
        let again = MultiExchange::replay(config, exchange.events()).unwrap();
        assert_eq!(again.digest(), exchange.digest(), "seed {seed}");
        assert_eq!(again.events(), exchange.events());
    }
}
