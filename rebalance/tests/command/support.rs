//! A folder with weights, prices and a configuration; the command in it; and what must hold afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nanobook::trading::{Fill, Units};
use nanobook::{Symbol, Timestamp};
use nanobook_broker::{Broker, OrderKey};
use nanobook_rebalance::config::Config;
use nanobook_rebalance::core::{Ending, State};
use nanobook_rebalance::journal::{self, Contents};
use nanobook_rebalance::shell::venue;
use serde_json::Value;
use tempfile::TempDir;

/// The command.
pub(crate) const REBALANCER: &str = env!("CARGO_BIN_EXE_rebalancer");

/// A run that ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The last line of the output, as JSON.
    pub(crate) fn json(&self) -> Value {
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }
}

/// A folder to work in.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    /// With a configuration.
    pub(crate) fn new(config: &str) -> Self {
        Self::at(tempfile::tempdir().unwrap(), config)
    }

    /// In memory, where there is such a folder: a paper account is written to the disk at every step.
    pub(crate) fn in_memory(config: &str) -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self::at(dir.unwrap(), config)
    }

    fn at(dir: TempDir, config: &str) -> Self {
        let place = Self { dir };
        place.write("rebalancer.toml", config);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A file that only its owner reads.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        self.write(name, text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(self.path(name), mode).unwrap();
    }

    /// Weights that were made today.
    pub(crate) fn weights<S: AsRef<str>>(&self, rows: &[(S, f64)]) {
        let mut text = String::from("as_of,symbol,weight\n");
        for (symbol, weight) in rows {
            text.push_str(&format!("{},{},{weight}\n", today(), symbol.as_ref()));
        }
        self.write("weights.csv", &text);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(REBALANCER);
        command
            .current_dir(self.dir.path())
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        loop {
            let done = Done::of(&self.command(arguments).output().unwrap());
            // A process that another test is just starting holds, for a moment, whatever this one had open.
            if done.code != 1 || !done.err.contains("another process has this account open") {
                return done;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts and does not wait.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The folder of the account, once it is there.
    pub(crate) fn account(&self) -> Option<PathBuf> {
        let mut found = fs::read_dir(self.path("rebalancer")).ok()?;
        found.next()?.ok().map(|entry| entry.path())
    }

    /// The journals, oldest first.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let runs = self.account().map(|folder| folder.join("runs"));
        let entries = runs.and_then(|runs| fs::read_dir(runs).ok());
        let paths = entries
            .into_iter()
            .flatten()
            .filter_map(|e| Some(e.ok()?.path()));
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|e| e == "journal"))
            .collect();
        paths.sort();
        paths
    }

    /// The last journal.
    pub(crate) fn last(&self) -> Option<(Contents, State)> {
        let bytes = fs::read(self.journals().pop()?).unwrap();
        let contents = journal::read(&bytes).unwrap();
        let state = State::replay(&contents.entries).unwrap();
        Some((contents, state))
    }

    /// The broker as the command would make it; no process may have it.
    pub(crate) fn broker(&self) -> Box<dyn Broker + Send> {
        let config = Config::from_file(&self.path("rebalancer.toml")).unwrap();
        let account = config.all_accounts().remove(0);
        let folder = self.account().unwrap();
        let mut broker = loop {
            match venue::open(&config, &account, &folder) {
                Ok(broker) => break broker,
                Err(e) if e.to_string().contains("another process") => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(e) => panic!("{e}"),
            }
        };
        patiently(|| broker.connect());
        broker
    }
}

/// Today in UTC.
pub(crate) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// A configuration of a paper account that is quick, with prices of `prices.csv`.
pub(crate) fn quick_paper(more: &str) -> String {
    format!("targets.file = \"weights.csv\"\n{QUICK}\n[paper]\nprices = \"prices.csv\"\n{more}")
}

/// Patience of tests.
pub(crate) const QUICK: &str = "
[execution]
poll_every_s = 0.02
grace_s = 0.1
patience_s = 3
chase_after_s = 0.3
chase_steps = 30
timeout_s = 1
deadline_s = 120
";

/// The reference data beside the project; `None`, with a word, where there is none.
pub(crate) fn shared() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/prices");
    let found = path.is_dir().then_some(path);
    if found.is_none() {
        eprintln!("skipped: there is no ../shared/data/prices");
    }
    found
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_for(what: &str, seconds: u64, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Asks until there is an answer: a fault of the venue may still be waiting for somebody to ask.
#[track_caller]
pub(crate) fn patiently<T>(mut ask: impl FnMut() -> nanobook_broker::Result<T>) -> T {
    let mut tries = 0;
    loop {
        match ask() {
            Ok(answer) => return answer,
            // The venue may ask for a pause to the end of the minute.
            Err(e) if tries >= 700 => panic!("asked in vain: {e}"),
            Err(_) => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// What must hold of an account and its journal when no process works with it, whatever happened: every order of ours is at
/// the venue once at most and in the journal, executions are the same on both sides, and positions are explained. When the
/// run is over, nothing of ours is open; when it is done, positions are those that were planned.
#[track_caller]
pub(crate) fn check(broker: &mut dyn Broker, state: &State, is_over: bool) {
    let Some(plan) = state.plan.as_deref() else {
        return;
    };
    let symbols: Vec<Symbol> = plan
        .legs
        .iter()
        .map(nanobook_rebalance::core::Leg::symbol)
        .collect();
    let prefix = nanobook_rebalance::core::Plan::prefix(&plan.run_id);
    for order in &state.orders {
        let key = OrderKey::of(&order.order);
        let found = patiently(|| broker.order(key));
        assert!(found.len() <= 1, "{key:?} is there {} times", found.len());
        let leg = &plan.legs[order.leg as usize];
        assert!(
            plan.allows(order.leg, &order.order),
            "{order:?} is beyond {leg:?}"
        );
    }
    let fills = if symbols.is_empty() {
        Vec::new()
    } else {
        patiently(|| broker.fills_since(&symbols, Timestamp(plan.ts.0)))
    };
    let ours = |fill: &&Fill| {
        fill.client_order_id
            .is_some_and(|id| id.as_str().starts_with(&prefix))
    };
    let mut traded: BTreeMap<Symbol, i128> = BTreeMap::new();
    for fill in fills.iter().filter(ours) {
        let id = fill.client_order_id.unwrap();
        let known = state.tracked(&id);
        assert!(
            known.is_some(),
            "{id} is at the venue and not in the journal"
        );
        *traded.entry(fill.symbol).or_default() += fill.qty.signed(fill.side).0;
        if is_over {
            let known = known.unwrap().fills.get(&fill.trade_id);
            let same = known.is_some_and(|k| k.qty == fill.qty && k.price == fill.price);
            assert!(same, "{fill:?} is {known:?} in the journal");
        }
    }
    let open = patiently(|| broker.open_orders());
    let open = open.iter().filter(|order| {
        order
            .client_order_id
            .is_some_and(|id| id.as_str().starts_with(&prefix))
    });
    let open = open.count();
    if is_over {
        assert_eq!(open, 0, "open orders of a run that is over");
    }
    let held: BTreeMap<Symbol, Units> = patiently(|| broker.positions())
        .into_iter()
        .map(|position| (position.symbol, position.qty))
        .collect();
    let done = state
        .outcome
        .as_ref()
        .is_some_and(|o| o.ending == Ending::Done);
    for (at, leg) in plan.legs.iter().enumerate() {
        let moved = traded.get(&leg.symbol()).copied().unwrap_or(0);
        let wanted = leg.qty.signed(leg.side).0;
        // Never on the other side of the start, never beyond the target.
        assert!(moved * wanted.signum() >= 0, "{leg:?} moved by {moved}");
        assert!(moved.abs() <= wanted.abs(), "{leg:?} moved by {moved}");
        let now = held.get(&leg.symbol()).copied().unwrap_or(Units::ZERO);
        if is_over {
            let off = now.0 - state.expected(at, leg).0;
            assert!(
                off.abs() < leg.instrument.lot.0,
                "{leg:?}: {now} held, {off} not explained"
            );
        }
        if done {
            let off = wanted - moved;
            assert!(
                off.abs() < leg.instrument.lot.0,
                "{leg:?} is done and {off} are left"
            );
        }
    }
}
