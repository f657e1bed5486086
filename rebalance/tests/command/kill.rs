//! `kill -9` of the real process at forty points of a run, with each of the three brokers; then it is recovered, and what
//! must hold is checked.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nanobook_broker::fake::binance::{BinanceServer, Key};
use nanobook_broker::fake::tws::TwsGateway;
use nanobook_rebalance::core::Ending;

use crate::support::{Place, QUICK, check, quick_paper};

const POINTS: u64 = 40;

/// At a time a few of them: most of a run is waiting.
const AT_ONCE: u64 = 20;

/// Kills a run when `is_due` says so, recovers it, and checks it; whether it was killed at work.
fn killed_and_recovered(place: &Place, is_due: impl Fn(Instant) -> bool) -> bool {
    let mut child = place.spawn(&["run", "--yes"]);
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() && !is_due(start) {
        std::thread::sleep(Duration::from_micros(300));
    }
    let _ = child.kill();
    let code = child.wait().unwrap().code();
    assert!(code.is_none() || code == Some(0), "it ended with {code:?}");
    let before = place.last().filter(|(_, state)| state.plan.is_some());
    if let Some((_, state)) = &before {
        check(&mut *place.broker(), state, false);
    }
    let mut recovered = place.run(&["recover"]);
    // What a human has to look at may be found out by looking again.
    for _ in 0..3 {
        if recovered.code != 6 {
            break;
        }
        recovered = place.run(&["recover"]);
    }
    assert_eq!(recovered.code, 0, "{recovered:?}");
    if let Some((_, state)) = place.last().filter(|(_, state)| state.plan.is_some()) {
        assert_eq!(state.outcome.as_ref().unwrap().ending, Ending::Done);
        check(&mut *place.broker(), &state, true);
    }
    // The next start finds the targets reached, or reaches them for the first time.
    place.run(&["run", "--yes"]).expect(0);
    place.run(&["audit", "verify"]).expect(0);
    code.is_none() && before.is_some_and(|(_, state)| state.outcome.is_none())
}

/// Runs all points, some at once, and says how many runs were killed at work.
fn all_points(run: impl Fn(u64) -> bool + Sync) -> u32 {
    let killed = AtomicU32::new(0);
    let run = &run;
    for chunk in 0..POINTS.div_ceil(AT_ONCE) {
        std::thread::scope(|scope| {
            for point in chunk * AT_ONCE..((chunk + 1) * AT_ONCE).min(POINTS) {
                let killed = &killed;
                scope.spawn(move || {
                    killed.fetch_add(u32::from(run(point)), Ordering::Relaxed);
                });
            }
        });
    }
    killed.into_inner()
}

#[test]
fn the_paper_account_survives_kills() {
    let killed = all_points(|point| {
        let place = Place::new(&quick_paper("quoted_qty = 60\n"));
        place.write("prices.csv", "symbol,price\nA,100\nB,50\nC,20\n");
        place.weights(&[("A", 0.02), ("B", 0.02), ("C", 0.01)]);
        let records = 1 + point / 2;
        killed_and_recovered(&place, |start| {
            // Even points by the journal, odd ones by the clock.
            if point % 2 == 0 {
                place
                    .last()
                    .is_some_and(|(contents, _)| contents.entries.len() as u64 >= records)
            } else {
                start.elapsed() > Duration::from_millis(15 * point)
            }
        })
    });
    assert!(killed >= 20, "{killed} runs were killed at work");
}

fn binance() -> (BinanceServer, Place) {
    let server = BinanceServer::start().unwrap();
    // A run of minutes is pressed into seconds.
    server.set_weight_limit(10_000_000);
    server.allow("test-key", Key::Hmac("test-secret".to_owned()));
    // Asking for all open orders costs 80 of the 6,000 that a minute has.
    let quick = QUICK.replace("poll_every_s = 0.02", "poll_every_s = 0.5");
    let place = Place::new(&format!(
        "targets.file = \"weights.csv\"\naccount.broker = \"binance\"\n\n{quick}messages_per_second = 10\n\
         [costs]\ncommission_bps = 10.0\n\
         [binance]\nendpoint = \"{}\"\nkey_file = \"key\"\nsecret_file = \"secret\"",
        server.url()
    ));
    place.secret("key", "test-key");
    place.secret("secret", "test-secret");
    place.weights(&[("BTCUSDT", 0.2), ("ETHUSDT", 0.2), ("ADAUSDT", 0.01)]);
    (server, place)
}

#[test]
fn binance_survives_kills() {
    let killed = all_points(|point| {
        let (server, place) = binance();
        let requests = usize::try_from(point).unwrap() + 6;
        killed_and_recovered(&place, |_| server.requests().len() >= requests)
    });
    assert!(killed >= 20, "{killed} runs were killed at work");
}

#[test]
fn interactive_brokers_survives_kills() {
    let killed = all_points(|point| {
        let gateway = TwsGateway::start().unwrap();
        let place = Place::new(&format!(
            "targets.file = \"weights.csv\"\nhours.gate = \"always\"\n\
             [account]\nbroker = \"ibkr\"\nid = \"DU1234567\"\n[ibkr]\naddress = \"{}\"\n{QUICK}\
             [costs]\ncommission_min = 1.0",
            gateway.address()
        ));
        place.weights(&[("AAPL", 0.3), ("SPY", 0.3)]);
        let requests = usize::try_from(point).unwrap() * 2 + 8;
        killed_and_recovered(&place, |_| gateway.requests().len() >= requests)
    });
    assert!(killed >= 20, "{killed} runs were killed at work");
}
