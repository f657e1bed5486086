//! A broker on a thread of its own: questions go in, answers come out, and nobody has to wait for a broker that does not
//! come back.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use nanobook::trading::{Units, decimal};
use nanobook::{Money, Price};
use nanobook_broker::binance::{self, BinanceBroker};
use nanobook_broker::ibkr::{self, IbkrBroker};
use nanobook_broker::paper::{self, PaperBroker};
use nanobook_broker::secret::Secret;
use nanobook_broker::{Broker, Capabilities};

use super::Failure;
use crate::config::{AccountConfig, BrokerName, Config, Mode};
use crate::core::{Answer, Request};
use crate::prices::{Making, Prices};

/// The paper account without a name.
pub const PAPER_ID: &str = "PAPER";

/// A broker that is asked by messages.
#[derive(Debug)]
pub struct Venue {
    requests: Sender<(u64, Request)>,
    answers: Receiver<(u64, Answer)>,
    capabilities: Capabilities,
    next: u64,
}

/// Ids of questions that are asked one by one, far from those of a run.
const FIRST: u64 = 1 << 62;

impl Venue {
    /// Puts a broker on a thread.
    pub fn start(mut broker: Box<dyn Broker + Send>) -> Self {
        let capabilities = broker.capabilities().clone();
        let (requests, inbox) = channel::<(u64, Request)>();
        let (outbox, answers) = channel();
        thread::spawn(move || {
            for (id, request) in inbox {
                let answer = request.ask(&mut *broker);
                if outbox.send((id, answer)).is_err() {
                    return;
                }
            }
        });
        Self {
            requests,
            answers,
            capabilities,
            next: FIRST,
        }
    }

    /// What the venue can do.
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Asks, and does not wait.
    pub fn send(&self, id: u64, request: Request) {
        // A thread that is gone gives no answer, which is what the time-out is for.
        let _ = self.requests.send((id, request));
    }

    /// The next answer, if one comes in time.
    pub fn receive(&self, wait: Duration) -> Option<(u64, Answer)> {
        match self.answers.recv_timeout(wait) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(wait);
                None
            }
        }
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// When it does not come in time, or the venue did not answer.
    pub fn ask(&mut self, request: Request, wait: Duration) -> Result<Answer, Failure> {
        self.next += 1;
        let id = self.next;
        let what = name(&request);
        self.send(id, request);
        let deadline = std::time::Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            match self.receive(left) {
                Some((found, Answer::Failed(failure))) if found == id => {
                    let detail = failure.text;
                    return Err(Failure::Venue { what, detail });
                }
                Some((found, answer)) if found == id => return Ok(answer),
                Some(_) => {}
                None => {
                    let detail = format!("no answer within {} s", wait.as_secs_f64());
                    return Err(Failure::Venue { what, detail });
                }
            }
        }
    }
}

/// What a question asks for, in words.
const fn name(request: &Request) -> &'static str {
    match request {
        Request::Connect => "who is there",
        Request::Submit(_) => "what became of an order",
        Request::Cancel(_) => "what became of a cancel",
        Request::Order(_) => "how an order stands",
        Request::Open => "which orders are open",
        Request::Fills { .. } => "what was executed",
        Request::Positions => "what the positions are",
        Request::Account => "what the account is worth",
        Request::Quotes(_) => "what the quotes are",
        Request::Instruments(_) => "what its rules are",
    }
}

/// Makes the broker of an account.
///
/// # Errors
/// When its settings can't be, its keys are missing, or its files can't be read.
pub fn open(
    config: &Config,
    account: &AccountConfig,
    folder: &Path,
) -> Result<Box<dyn Broker + Send>, Failure> {
    Ok(match account.broker {
        BrokerName::Paper => Box::new(paper(config, account, folder)?),
        BrokerName::Ibkr => Box::new(interactive_brokers(config, account)?),
        BrokerName::Binance => Box::new(binance(config, account)?),
    })
}

fn money(value: f64) -> Money {
    Money(decimal::nearest(value).unwrap_or(0))
}

fn price(value: f64) -> Price {
    Price(i64::try_from(decimal::nearest(value).unwrap_or(0)).unwrap_or(i64::MAX))
}

fn paper(config: &Config, account: &AccountConfig, folder: &Path) -> Result<PaperBroker, Failure> {
    if account.mode == Mode::Live {
        return Err(Failure::Setting {
            detail: "a paper account can't be live; set account.mode = \"paper\"".to_owned(),
        });
    }
    let settings = &config.paper;
    let default_lot = if config.plan.fractional { 0.0001 } else { 1.0 };
    let lot = Units(decimal::nearest(settings.lot.unwrap_or(default_lot)).unwrap_or(0));
    let making = Making {
        half_spread_bps: settings.half_spread_bps,
        tick: price(settings.tick),
        qty: settings
            .quoted_qty
            .map(|qty| Units(decimal::nearest(qty).unwrap_or(0))),
    };
    let prices = match &settings.prices {
        Some(path) => Prices::read(&config.path(path), making)?,
        None => Prices::sample(making),
    };
    let instruments = prices
        .symbols()
        .map(|symbol| nanobook::trading::Instrument {
            symbol,
            currency: settings.currency.0,
            base: None,
            tick: making.tick,
            lot,
            min_qty: None,
            max_qty: None,
            min_price: None,
            max_price: None,
            min_notional: None,
            max_notional: None,
            state: nanobook::trading::InstrumentState::Trading,
        });
    let paper = paper::Config {
        account_id: paper_id(account).to_owned(),
        currency: settings.currency.0,
        cash: money(settings.cash),
        costs: config.costs.model(),
        short: config.plan.short,
        leverage: settings.leverage,
        // What has no price is not to be had.
        default_rules: None,
        instruments: instruments.collect(),
        ..paper::Config::default()
    };
    let broker = PaperBroker::open(paper, &folder.join("paper.json"))?;
    Ok(broker.with_quotes(prices))
}

/// The id of a paper account, which may have none in the configuration.
pub fn paper_id(account: &AccountConfig) -> &str {
    if account.id.is_empty() {
        PAPER_ID
    } else {
        &account.id
    }
}

fn interactive_brokers(config: &Config, account: &AccountConfig) -> Result<IbkrBroker, Failure> {
    if account.id.is_empty() {
        return Err(Failure::Setting {
            detail: "Interactive Brokers needs account.id, such as DU1234567".to_owned(),
        });
    }
    let settings = &config.ibkr;
    let broker = IbkrBroker::new(ibkr::Config {
        address: settings.address.clone(),
        client_id: settings.client_id,
        paper: account.mode == Mode::Paper,
        currency: settings.currency.0,
        fractional: config.plan.fractional,
        short: config.plan.short,
        timeout_ms: millis(config.execution.timeout_s),
        messages_per_second: config.execution.rate(account.broker).min(45),
        ..ibkr::Config::new(&account.id)
    })?;
    Ok(broker)
}

fn binance(config: &Config, account: &AccountConfig) -> Result<BinanceBroker, Failure> {
    let settings = &config.binance;
    let endpoint = match (settings.endpoint.as_str(), account.mode) {
        ("live", Mode::Live) => binance::Endpoint::live(),
        ("live", Mode::Paper) => {
            return Err(Failure::Setting {
                detail:
                    "binance.endpoint = \"live\" is real money; set account.mode = \"live\" too"
                        .to_owned(),
            });
        }
        (_, Mode::Live) => {
            return Err(Failure::Setting {
                detail: "account.mode = \"live\" needs binance.endpoint = \"live\"".to_owned(),
            });
        }
        ("testnet", Mode::Paper) => binance::Endpoint::testnet(),
        (url, Mode::Paper) => binance::Endpoint::at(url)?,
    };
    let secret = |file: &Option<std::path::PathBuf>, name: &'static str| match file {
        Some(path) => Secret::from_file(&config.path(path)),
        None => Secret::from_env(name),
    };
    let key = secret(&settings.key_file, "BINANCE_API_KEY")?;
    let signer = secret(&settings.secret_file, "BINANCE_API_SECRET")?;
    let assets = settings.assets.as_ref();
    let broker = BinanceBroker::new(binance::Config {
        endpoint,
        account_id: (!account.id.is_empty()).then(|| account.id.clone()),
        cash_asset: settings.cash_asset.0,
        assets: assets.map(|assets| assets.iter().map(|name| name.0).collect()),
        timeout_ms: millis(config.execution.timeout_s),
        ..binance::Config::new(key, binance::Signer::from_secret(signer)?)
    })?;
    Ok(broker)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked when the file was read, and saturating"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0).ceil() as u64
}
