//! 200 seeds a venue through real sockets: the whole path from weights to positions, with the adapters, while the venue
//! drops, delays, hides, refuses and repeats.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use nanobook_broker::Broker;
use nanobook_broker::binance::{self, BinanceBroker, Endpoint, Signer};
use nanobook_broker::fake::binance::{self as fake_binance, BinanceServer, Key};
use nanobook_broker::fake::tws::{self as fake_tws, TwsGateway};
use nanobook_broker::ibkr::{self, IbkrBroker};
use nanobook_broker::secret::Secret;
use nanobook_rebalance::config::{AccountConfig, Config};
use nanobook_rebalance::core::{Core, Ending, Plan, State};
use nanobook_rebalance::journal::{self, Journal};
use nanobook_rebalance::shell::day::Past;
use nanobook_rebalance::shell::drive::{Clock, Drive};
use nanobook_rebalance::shell::folder::Folder;
use nanobook_rebalance::shell::log::{Format, Log};
use nanobook_rebalance::shell::prepare::{limits, prepare, running_limits};
use nanobook_rebalance::shell::venue::Venue;
use nanobook_rebalance::targets;
use nanobook_risk::RiskEngine;

use crate::support::{check, patiently, today};

const SEEDS: u64 = 200;
const AT_ONCE: u64 = 20;
const MS: i64 = 1_000_000;

/// `splitmix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap();
        from[at].clone()
    }
}

/// A venue with faults.
trait Stage: Sync {
    fn config(&self) -> String;
    fn weights(&self) -> &'static [(&'static str, f64)];
    fn broker(&self) -> Box<dyn Broker + Send>;
    fn break_something(&self, random: &mut Random);
    fn heal(&self);
}

/// How the runs of all seeds ended.
#[derive(Debug, Default)]
struct Endings {
    done: AtomicU64,
    residual: AtomicU64,
    review: AtomicU64,
    stale: AtomicU64,
    resumed: AtomicU64,
}

/// The same as the command does, without its process.
fn run_seed<S: Stage>(stage: &S, seed: u64, endings: &Endings) {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::from_toml(&stage.config()).unwrap();
    config.folder = Some(dir.path().join("state"));
    let account: AccountConfig = config.all_accounts().remove(0);
    let folder = Folder::open(&config, &account).unwrap();
    let targets = weights(dir.path(), stage.weights());
    let mut venue = Venue::start(stage.broker());
    let past = Past {
        killed: Some(false),
        ..Past::default()
    };
    let prepared = prepare(&config, &account, &targets, &mut venue, &past).unwrap();
    assert!(
        prepared.report.passed(),
        "{:?}",
        prepared.report.breaches().collect::<Vec<_>>()
    );
    let mut plan = prepared.approved(&config, &venue, &format!("seed-{seed}"));
    hurry(&mut plan);
    let mut random = Random(seed);
    for _ in 0..=random.below(3) {
        stage.break_something(&mut random);
    }
    let path = dir.path().join("run.journal");
    let clock = Clock::default();
    let engine = || RiskEngine::new(running_limits(limits(&config, &targets)));
    let log = Log {
        format: Format::Quiet,
    };
    let log = if std::env::var_os("SEED_LOG").is_some() {
        Log::default()
    } else {
        log
    };
    let (mut journal, _) = Journal::open_file(&path).unwrap();
    let (mut core, commands) = Core::start(plan, Vec::new(), engine(), clock.now()).unwrap();
    let mut outcome = Drive {
        venue: &venue,
        journal: &mut journal,
        folder: &folder,
        clock,
        log,
    }
    .run(&mut core, commands)
    .unwrap();
    drop((journal, venue));
    // A human looks, the venue is well again, and the run is taken up.
    for _ in 0..3 {
        if outcome.ending != Ending::Review {
            break;
        }
        stage.heal();
        endings.resumed.fetch_add(1, Ordering::Relaxed);
        let (mut journal, contents) = Journal::open_file(&path).unwrap();
        let state = State::replay(&contents.entries).unwrap();
        let venue = Venue::start(stage.broker());
        let (mut core, commands) = Core::resume(state, engine(), clock.now()).unwrap();
        outcome = Drive {
            venue: &venue,
            journal: &mut journal,
            folder: &folder,
            clock,
            log,
        }
        .run(&mut core, commands)
        .unwrap();
    }
    stage.heal();
    let contents = journal::verify(&std::fs::read(&path).unwrap()).unwrap();
    let state = State::replay(&contents.entries).unwrap();
    let mut broker = stage.broker();
    patiently(|| broker.connect());
    let symbols: Vec<_> = state
        .plan
        .as_ref()
        .unwrap()
        .legs
        .iter()
        .map(nanobook_rebalance::core::Leg::symbol)
        .collect();
    patiently(|| broker.instruments(&symbols));
    check(&mut *broker, &state, outcome.ending != Ending::Review);
    let count = match outcome.ending {
        Ending::Done => &endings.done,
        Ending::Residual | Ending::Killed => &endings.residual,
        Ending::Review => &endings.review,
        Ending::Stale => &endings.stale,
    };
    count.fetch_add(1, Ordering::Relaxed);
}

fn weights(dir: &Path, weights: &[(&str, f64)]) -> targets::Targets {
    let path = dir.join("weights.csv");
    let mut text = String::from("as_of,symbol,weight\n");
    for (symbol, weight) in weights {
        text.push_str(&format!("{},{symbol},{weight}\n", today()));
    }
    std::fs::write(&path, text).unwrap();
    targets::read(&path).unwrap().remove(0)
}

/// The venues on loopback hide an order from so many questions, not for so long: it is asked for more often than that.
fn hurry(plan: &mut Plan) {
    let settings = &mut plan.settings;
    settings.grace_ns = 200 * MS;
    settings.absent_answers = 5;
    settings.poll_ns = 250 * MS;
    // The adapter knows the limits of the venue by their usual numbers until it has asked for them.
    settings.rate = 60;
    settings.patience_ns = 2_000 * MS;
    settings.chase_ns = 100 * MS;
    settings.deadline_ns = 8_000 * MS;
    settings.request_timeout_ns = 3_000 * MS;
}

fn all_seeds<S: Stage>(make: impl Fn() -> S + Sync) -> Endings {
    let endings = Endings::default();
    let next = AtomicU64::new(0);
    let only = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse::<u64>().ok());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEEDS {
                        return;
                    }
                    if only.is_some_and(|only| only != seed) {
                        continue;
                    }
                    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        run_seed(&make(), seed, &endings);
                    }));
                    assert!(outcome.is_ok(), "SEED={seed} fails");
                }
            });
        }
    });
    eprintln!("{endings:?}");
    endings
}

struct Binance(BinanceServer);

const PLACE: &str = "POST /api/v3/order";
const REQUESTS: [&str; 6] = [
    "GET /api/v3/order",
    "GET /api/v3/openOrders",
    "GET /api/v3/account",
    "GET /api/v3/myTrades",
    "GET /api/v3/ticker/bookTicker",
    "DELETE /api/v3/order",
];

impl Stage for Binance {
    fn config(&self) -> String {
        "account.broker = \"binance\"\n[costs]\ncommission_bps = 10.0\n\
         [execution]\nmessages_per_second = 200\ntimeout_s = 0.5"
            .to_owned()
    }

    fn weights(&self) -> &'static [(&'static str, f64)] {
        &[("BTCUSDT", 0.2), ("ETHUSDT", 0.2), ("ADAUSDT", 0.01)]
    }

    fn broker(&self) -> Box<dyn Broker + Send> {
        self.0.allow("key", Key::Hmac("secret".to_owned()));
        let signer = Signer::Hmac(Secret::new("secret".to_owned()));
        let config = binance::Config {
            endpoint: Endpoint::at(&self.0.url()).unwrap(),
            timeout_ms: 400,
            look_again: 1,
            look_pause_ms: 5,
            ..binance::Config::new(Secret::new("key".to_owned()), signer)
        };
        Box::new(BinanceBroker::new(config).unwrap())
    }

    fn break_something(&self, random: &mut Random) {
        use fake_binance::Fault;
        let processed = random.below(2) == 0;
        let answer = |status, code, text: &str, retry_after, processed| Fault::Answer {
            status,
            code,
            text: text.to_owned(),
            retry_after,
            processed,
        };
        // Some orders pass before the fault.
        let of_order = [
            Fault::Drop { processed },
            Fault::Silence { processed },
            answer(
                503,
                0,
                "Unknown error, please check your request or try again later.",
                None,
                processed,
            ),
            answer(
                500,
                -1_007,
                "Timeout waiting for response from backend server.",
                None,
                processed,
            ),
            answer(
                400,
                -2_010,
                "Account has insufficient balance for requested action.",
                None,
                false,
            ),
            answer(429, -1_003, "Too many requests.", Some(1), false),
            Fault::Slow { ms: 600 },
            Fault::Hide { questions: 3 },
            Fault::Garbage,
        ];
        let of_question = [
            Fault::Drop { processed },
            answer(502, 0, "Bad gateway", None, processed),
            answer(418, -1_003, "Way too many requests.", Some(1), false),
            Fault::Slow { ms: 600 },
            Fault::Garbage,
        ];
        match random.below(8) {
            0..=3 => self.0.fail_next(PLACE, random.pick(&of_order)),
            4..=5 => self
                .0
                .fail_next(random.pick(&REQUESTS), random.pick(&of_question)),
            6 => {
                // The market runs away, and comes back later.
                self.0.set_quote("ETHUSDT", ["3050", "3051", "20"]);
            }
            _ => self
                .0
                .set_clock(random.pick(&[-3_000, 3_000, -60_000, 60_000])),
        }
    }

    fn heal(&self) {
        self.0.set_clock(0);
        self.0.set_quote("ETHUSDT", ["2999.5", "3000.5", "20"]);
    }
}

struct Tws(TwsGateway);

impl Stage for Tws {
    fn config(&self) -> String {
        "hours.gate = \"always\"\n[account]\nbroker = \"ibkr\"\nid = \"DU1234567\"\n[costs]\ncommission_min = 1.0\n\
         [execution]\ntimeout_s = 0.5"
            .to_owned()
    }

    fn weights(&self) -> &'static [(&'static str, f64)] {
        &[("AAPL", 0.3), ("SPY", 0.3)]
    }

    fn broker(&self) -> Box<dyn Broker + Send> {
        let config = ibkr::Config {
            address: self.0.address(),
            timeout_ms: 400,
            ..ibkr::Config::new("DU1234567")
        };
        Box::new(IbkrBroker::new(config).unwrap())
    }

    fn break_something(&self, random: &mut Random) {
        use fake_tws::Fault;
        const QUERIES: [i32; 6] = [7, 16, 61, 62, 99, 1];
        let request = random.pick(&QUERIES);
        let processed = random.below(2) == 0;
        let refuse = |code, text: &str| Fault::Refuse {
            code,
            text: text.to_owned(),
        };
        let fault = random.pick(&[
            Fault::DropOrder { processed },
            Fault::DropInMidFill,
            Fault::HalfOpen,
            Fault::ClientIdBusy { times: 1 },
            Fault::RepeatStatus,
            Fault::RollBack,
            Fault::LoseCallbacks,
            Fault::ExecutionFirst,
            refuse(201, "Order rejected - reason: margin"),
            Fault::Warn {
                code: 399,
                text: "Order message: held".to_owned(),
            },
            Fault::Hide { lists: 3 },
            Fault::NoEnd { request },
            Fault::NoAnswer { request },
            Fault::NoAnswer { request: 3 },
            Fault::FillBeforeCancel,
            Fault::Foreign,
        ]);
        if random.below(6) == 0 {
            self.0.set_quote("SPY", ["510", "511", "300"]);
        }
        if random.below(6) == 0 {
            self.0.set_quote("AAPL", ["199", "200", "40"]);
        }
        self.0.fail(fault);
    }

    fn heal(&self) {
        self.0.heal();
        self.0.set_quote("SPY", ["500", "501", "300"]);
    }
}

#[test]
fn binance_two_hundred_seeds() {
    let endings = all_seeds(|| {
        let server = BinanceServer::start().unwrap();
        // A run of minutes is pressed into seconds.
        server.set_weight_limit(10_000_000);
        Binance(server)
    });
    let done = endings.done.load(Ordering::Relaxed);
    assert!(
        done >= SEEDS / 2 || std::env::var_os("SEED").is_some(),
        "{endings:?}"
    );
    assert_eq!(
        endings.review.load(Ordering::Relaxed),
        0,
        "what is well again is found out: {endings:?}"
    );
}

#[test]
fn interactive_brokers_two_hundred_seeds() {
    let endings = all_seeds(|| Tws(TwsGateway::start().unwrap()));
    let done = endings.done.load(Ordering::Relaxed);
    assert!(
        done >= SEEDS / 2 || std::env::var_os("SEED").is_some(),
        "{endings:?}"
    );
    assert_eq!(
        endings.review.load(Ordering::Relaxed),
        0,
        "what is well again is found out: {endings:?}"
    );
}
