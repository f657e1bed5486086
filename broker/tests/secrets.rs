//! Keys stay out of everything that a run leaves behind: logs of all crates at the finest level, errors, debug prints, a
//! panic, and the files of an account.

#![cfg(all(feature = "binance", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests and their helpers"
)]

use std::path::Path;
use std::process::Command;

use nanobook::trading::{NewOrder, TimeInForce, decimal};
use nanobook::{OrderKind, Side, Timestamp};
use nanobook_broker::binance::{BinanceBroker, Config, Endpoint, Signer};
use nanobook_broker::fake::binance::{BinanceServer, Fault, Key};
use nanobook_broker::paper::{self, FromBroker, PaperBroker};
use nanobook_broker::secret::Secret;
use nanobook_broker::{Broker, OrderKey};

const KEY: &str = "KEYvmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
const SECRET: &str = "SECNhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const FOLDER: &str = "NANOBOOK_TEST_SECRETS_FOLDER";

/// Writes every record of every crate.
struct Loud;

impl log::Log for Loud {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{} {} {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}

fn config(server: &BinanceServer) -> Config {
    let signer = Signer::from_secret(Secret::new(SECRET.to_owned())).unwrap();
    Config {
        endpoint: Endpoint::at(&server.url()).unwrap(),
        timeout_ms: 300,
        look_again: 1,
        look_pause_ms: 1,
        ..Config::new(Secret::new(KEY.to_owned()), signer)
    }
}

/// A run with everything in it, which ends in a panic.
fn full_run(folder: &Path) {
    log::set_logger(&Loud).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let server = BinanceServer::start().unwrap();
    let mut broker = BinanceBroker::new(config(&server)).unwrap();
    eprintln!("{:?}", broker.connect().unwrap_err());
    server.allow(KEY, Key::Hmac("another secret".to_owned()));
    eprintln!("{:?}", broker.connect().unwrap_err());
    server.allow(KEY, Key::Hmac(SECRET.to_owned()));
    eprintln!("{:?} {:?}", broker.connect().unwrap(), config(&server));
    let order = |id: usize| NewOrder {
        client_order_id: format!("s-{id}").parse().unwrap(),
        symbol: "BTCUSDT".parse().unwrap(),
        side: Side::Buy,
        qty: "0.01".parse().unwrap(),
        kind: OrderKind::Limit {
            price: decimal::price("40000").unwrap(),
        },
        tif: TimeInForce::Gtc,
    };
    let faults = [
        None,
        Some(Fault::Drop { processed: true }),
        Some(Fault::Drop { processed: false }),
        Some(Fault::Silence { processed: true }),
        Some(Fault::Garbage),
        Some(Fault::Answer {
            status: 502,
            code: 0,
            text: "bad gateway".to_owned(),
            retry_after: None,
            processed: false,
        }),
    ];
    for (id, fault) in faults.into_iter().enumerate() {
        if let Some(fault) = fault {
            server.fail_next("POST /api/v3/order", fault.clone());
            server.fail_next("GET /api/v3/account", fault);
        }
        let outcome = broker.submit(&order(id));
        eprintln!(
            "{outcome} {outcome:?} {:?}",
            broker.cancel(OrderKey::of(&order(id)))
        );
        eprintln!(
            "{:?} {:?}",
            broker.account(),
            broker.fills_since(&[order(id).symbol], Timestamp(0))
        );
    }
    // A paper account whose market is the venue, in a file.
    let settings = paper::Config {
        default_rules: Some((nanobook::Price(10_000_000), "0.00001".parse().unwrap())),
        ..paper::Config::default()
    };
    let mut account = PaperBroker::open(settings, &folder.join("account.json"))
        .unwrap()
        .with_quotes(FromBroker::new(broker));
    account.connect().unwrap();
    eprintln!("{:?}", account.submit(&order(99)));
    drop(server);
    let mut broker = BinanceBroker::new(config(&BinanceServer::start().unwrap())).unwrap();
    let error = broker.connect().unwrap_err();
    panic!("{error} {error:?}");
}

#[test]
fn no_key_is_left_behind_by_a_full_run() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return full_run(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "no_key_is_left_behind_by_a_full_run",
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    assert!(!output.status.success(), "the run was to end in a panic");
    let mut texts = vec![
        (
            "standard output".to_owned(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        ),
        (
            "standard error".to_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ),
    ];
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        texts.push((
            path.display().to_string(),
            std::fs::read_to_string(&path).unwrap(),
        ));
    }
    let all: String = texts.iter().map(|(_, text)| text.as_str()).collect();
    for expected in ["panicked", "Confirmed", "Unknown", "reqwest", "\"orders\""] {
        assert!(
            all.contains(expected),
            "the run left no trace of {expected}: {all}"
        );
    }
    for (whose, text) in &texts {
        for word in [KEY, SECRET, "signature="] {
            let line = text.lines().find(|line| line.contains(word));
            assert_eq!(line, None, "{whose} holds a key");
        }
    }
}
