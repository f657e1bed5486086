//! The configuration of the command: TOML in which an unknown key is an error.
//!
//! Every key has a default, which is the careful choice; `rebalancer --help` shows the most important ones.

mod hours;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use nanobook::portfolio::CostModel;
use nanobook::trading::decimal;
use nanobook::{Money, Symbol};
use nanobook_broker::Venue;
use nanobook_risk::Limits;
use serde::Deserialize;

pub use hours::{Gate, Hours, Opening};

/// Why a configuration is not one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of another kind; the message says where.
    #[error("{}: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A value that can't be.
    #[error("{key} = {found}: {expected}")]
    Value {
        /// The key with its table.
        key: &'static str,
        /// What is there.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// An account that is not in the file.
    #[error("there is no account {wanted:?}; the configuration has {known}")]
    NoAccount {
        /// The one that was asked for.
        wanted: String,
        /// Those that there are.
        known: String,
    },
}

type Result<T> = std::result::Result<T, ConfigError>;

/// All settings.
///
/// # Examples
/// ```
/// use nanobook_rebalance::config::Config;
///
/// let config: Config = Config::from_toml(r#"
///     [account]
///     broker = "paper"
///     [plan]
///     drift_band = 0.01
///     trade_to = "edge"
///     untouchable = ["BRK B"]
///     [risk]
///     max_weight = 0.2
/// "#)?;
/// assert_eq!(config.plan.drift_band, 0.01);
/// let error = Config::from_toml("[plan]\ndrift_bnad = 0.01").unwrap_err();
/// assert!(error.to_string().contains("unknown field `drift_bnad`"), "{error}");
/// # Ok::<(), nanobook_rebalance::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where journals, paper accounts and exported tables are kept; relative to the configuration file.
    pub folder: Option<PathBuf>,
    /// The account, when there is one.
    pub account: AccountConfig,
    /// The accounts, when there are several; each may have targets of its own in one file.
    pub accounts: Vec<AccountConfig>,
    /// The file of targets and what is asked of it.
    pub targets: TargetsConfig,
    /// How weights become orders.
    pub plan: PlanConfig,
    /// How orders are worked.
    pub execution: ExecutionConfig,
    /// When the market is open.
    pub hours: Hours,
    /// From which day on the limits of the day look back.
    pub day: DayConfig,
    /// What trading costs, for the plan; the paper account charges it.
    pub costs: Costs,
    /// Limits of the risk checks.
    pub risk: Limits,
    /// Paper accounts.
    pub paper: PaperConfig,
    /// Interactive Brokers.
    pub ibkr: IbkrConfig,
    /// Binance.
    pub binance: BinanceConfig,
    /// The folder of the file.
    #[serde(skip)]
    pub base: PathBuf,
}

/// Which broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokerName {
    /// A paper account in a file.
    #[default]
    Paper,
    /// Interactive Brokers.
    Ibkr,
    /// Binance spot.
    Binance,
}

impl BrokerName {
    /// The venue.
    pub const fn venue(self) -> Venue {
        match self {
            Self::Paper => Venue::Paper,
            Self::Ibkr => Venue::Ibkr,
            Self::Binance => Venue::Binance,
        }
    }
}

/// Whether the money is real.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Play money.
    #[default]
    Paper,
    /// Real money: the account's id must be typed or given.
    Live,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountConfig {
    /// The broker.
    pub broker: BrokerName,
    /// The account's id, as the broker has it; empty for the only one.
    pub id: String,
    /// Whether its money is real.
    pub mode: Mode,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            broker: BrokerName::Paper,
            id: String::new(),
            mode: Mode::Paper,
        }
    }
}

/// The file of targets and what is asked of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetsConfig {
    /// The file, relative to the configuration; `None` for the sample.
    pub file: Option<PathBuf>,
    /// The oldest that targets may be, in hours; 96 unless given, 0 for any age.
    pub max_age_h: f64,
    /// The largest sum of absolute weights; 1 unless given.
    pub max_weight_sum: f64,
}

impl Default for TargetsConfig {
    fn default() -> Self {
        Self {
            file: None,
            max_age_h: 96.0,
            max_weight_sum: 1.0,
        }
    }
}

/// Where an order goes when a weight has left its band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeTo {
    /// To the target.
    #[default]
    Target,
    /// To the nearer edge of the band.
    Edge,
}

/// What may be done at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Buys and sells.
    #[default]
    Both,
    /// Buys only.
    BuyOnly,
    /// Sells only.
    SellOnly,
}

/// What becomes of positions that the targets don't name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// They are sold, as in a backtest: the targets are the whole portfolio.
    #[default]
    Sell,
    /// They stay.
    Keep,
}

/// How weights become orders.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanConfig {
    /// A symbol whose weight is off its target by less than this is left alone, unless its target is zero.
    pub drift_band: f64,
    /// Where an order goes when the weight has left the band, or the bounds of the file.
    pub trade_to: TradeTo,
    /// The part of equity that stays cash: targets that leave less are scaled down.
    pub cash_buffer: f64,
    /// Orders of less value are not sent, unless they close a position.
    pub min_order_value: f64,
    /// The most that may be traded, buys and sells, as a part of equity.
    pub max_turnover: Option<f64>,
    /// Fractions of a share, where the account has them.
    pub fractional: bool,
    /// Positions below zero, where the account has them.
    pub short: bool,
    /// Cash below zero, where the account lends it.
    pub margin: bool,
    /// Buys, sells or both.
    pub direction: Direction,
    /// Symbols that are left as they are.
    pub untouchable: BTreeSet<Name>,
    /// What becomes of positions that the targets don't name.
    pub unlisted: Unlisted,
}

/// A symbol in a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub Symbol);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let symbol = text.parse();
        symbol
            .map(Self)
            .map_err(|e| serde::de::Error::custom(format_args!("{text:?}: {e}")))
    }
}

/// How orders are worked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExecutionConfig {
    /// How far beyond the quote a limit may be, in basis points; 25 unless given.
    pub collar_bps: f64,
    /// How often an order that does not fill is priced anew; 3 unless given.
    pub chase_steps: u32,
    /// How long an order may rest before it is priced anew, in seconds; 30 unless given.
    pub chase_after_s: f64,
    /// Into how many slices an order is cut; 1 unless given.
    pub slices: u32,
    /// The time between slices, in seconds; 60 unless given.
    pub slice_every_s: f64,
    /// The most messages a second; `None` for what the venue takes: 40 at Interactive Brokers, 10 at Binance, and 1000 of
    /// a paper account.
    pub messages_per_second: Option<u32>,
    /// How long a run may take, in seconds; then what is left is given up. 1800 unless given.
    pub deadline_s: f64,
    /// How long an order must be absent from the venue's answers before it counts as never arrived, in seconds; longer
    /// than the venue may hide it. 10 unless given.
    pub grace_s: f64,
    /// How long something may stay unexplained before a human has to look, in seconds; 60 unless given.
    pub patience_s: f64,
    /// How long an answer may take before its question counts as not answered, in seconds; 10 unless given.
    pub timeout_s: f64,
    /// How often the venue is asked how orders stand, in seconds; 1 unless given.
    pub poll_every_s: f64,
}

impl ExecutionConfig {
    /// The most messages a second to a broker.
    pub fn rate(&self, broker: BrokerName) -> u32 {
        self.messages_per_second.unwrap_or(match broker {
            BrokerName::Paper => 1_000,
            BrokerName::Ibkr => 40,
            BrokerName::Binance => 10,
        })
    }
}

impl Default for ExecutionConfig {
    fn default() -> Self {
        Self {
            collar_bps: 25.0,
            chase_steps: 3,
            chase_after_s: 30.0,
            slices: 1,
            slice_every_s: 60.0,
            messages_per_second: None,
            deadline_s: 1_800.0,
            grace_s: 10.0,
            patience_s: 60.0,
            timeout_s: 10.0,
            poll_every_s: 1.0,
        }
    }
}

/// What `risk.max_daily_loss`, `max_drawdown`, `max_day_turnover` and `max_runs` look back to. A day is one of `hours.zone`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DayConfig {
    /// Days before this one don't count; to be set after money was paid in or out. `None` for as far as the journals go.
    pub since: Option<String>,
}

impl DayConfig {
    /// The first day that counts.
    pub fn since(&self) -> Option<Date> {
        self.since.as_ref()?.parse().ok()
    }

    fn check(&self) -> Result<()> {
        match &self.since {
            Some(found) if self.since().is_none() => Err(ConfigError::Value {
                key: "day.since",
                found: format!("{found:?}"),
                expected: "a day such as 2026-12-25",
            }),
            _ => Ok(()),
        }
    }
}

/// What trading costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Costs {
    /// Commission, in basis points of the traded value.
    pub commission_bps: f64,
    /// Commission for each share.
    pub commission_per_share: f64,
    /// The least commission of an order.
    pub commission_min: f64,
}

impl Costs {
    /// What is set aside for the fee of an order, in basis points of its value: whole ones, and five more for a
    /// commission by the share.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked when the file was read, and saturating"
    )]
    pub fn fee_bps(self) -> u32 {
        let by_share = if self.commission_per_share > 0.0 {
            5
        } else {
            0
        };
        (self.commission_bps.ceil() as u32).saturating_add(by_share)
    }

    /// What is set aside for the fee of an order at least.
    pub fn min_fee(self) -> Money {
        Money(decimal::nearest(self.commission_min).unwrap_or(0))
    }

    /// As the cost model of the plan.
    pub fn model(self) -> CostModel {
        CostModel {
            commission_bps: self.commission_bps,
            commission_per_share: self.commission_per_share,
            commission_min: self.commission_min,
            ..CostModel::default()
        }
    }
}

/// Paper accounts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaperConfig {
    /// What an account starts with; a million unless given.
    pub cash: f64,
    /// Its currency; USD unless given.
    pub currency: Name,
    /// Prices: a long or wide file of closes or of quotes, relative to the configuration; `None` for the sample.
    pub prices: Option<PathBuf>,
    /// Half of the spread of quotes that are made of prices, in basis points; 1 unless given.
    pub half_spread_bps: f64,
    /// How many are quoted on each side; `None` for as many as one likes.
    pub quoted_qty: Option<f64>,
    /// Prices are multiples of it; 0.01 unless given.
    pub tick: f64,
    /// Quantities are multiples of it; 1 unless given, 0.0001 where fractions are allowed.
    pub lot: Option<f64>,
    /// What can be spent, as a multiple of equity; 1 unless given.
    pub leverage: f64,
}

impl Default for PaperConfig {
    fn default() -> Self {
        Self {
            cash: 1_000_000.0,
            currency: Name("USD".parse().expect("three letters")),
            prices: None,
            half_spread_bps: 1.0,
            quoted_qty: None,
            tick: 0.01,
            lot: None,
            leverage: 1.0,
        }
    }
}

/// Interactive Brokers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IbkrConfig {
    /// The gateway; port 4002 is a paper account's unless given.
    pub address: String,
    /// Our number among its clients; 17 unless given.
    pub client_id: i32,
    /// The account's currency; USD unless given.
    pub currency: Name,
}

impl Default for IbkrConfig {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:4002".to_owned(),
            client_id: 17,
            currency: Name("USD".parse().expect("three letters")),
        }
    }
}

/// Binance spot. The keys are in `BINANCE_API_KEY` and `BINANCE_API_SECRET`, or in files that only their owner can read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinanceConfig {
    /// `testnet`, `live`, or the address of another server; the test network unless given.
    pub endpoint: String,
    /// A file with the API key.
    pub key_file: Option<PathBuf>,
    /// A file with the secret or the private key.
    pub secret_file: Option<PathBuf>,
    /// The asset that counts as cash; USDT unless given.
    pub cash_asset: Name,
    /// The assets that are looked at besides cash; `None` for all.
    pub assets: Option<BTreeSet<Name>>,
}

impl Default for BinanceConfig {
    fn default() -> Self {
        Self {
            endpoint: "testnet".to_owned(),
            key_file: None,
            secret_file: None,
            cash_asset: Name("USDT".parse().expect("four letters")),
            assets: None,
        }
    }
}

impl Config {
    /// From TOML.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or a value that can't be.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::parse(text, Path::new("configuration"))
    }

    /// From a file.
    ///
    /// # Errors
    /// As [`Config::from_toml`], and when the file can't be read.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut config = Self::parse(&text, path)?;
        path.parent()
            .unwrap_or(Path::new(""))
            .clone_into(&mut config.base);
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        let config: Self = toml::from_str(text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let (plan, execution, paper) = (&self.plan, &self.execution, &self.paper);
        let fail = |key, found: f64, expected| {
            let found = found.to_string();
            Err(ConfigError::Value {
                key,
                found,
                expected,
            })
        };
        // Each refuses NaN too.
        let parts = [
            ("plan.drift_band", plan.drift_band),
            ("plan.cash_buffer", plan.cash_buffer),
        ];
        for (key, part) in parts {
            if !(0.0..1.0).contains(&part) {
                return fail(key, part, "a part of equity, from 0 to less than 1");
            }
        }
        let amounts = [
            ("targets.max_age_h", self.targets.max_age_h),
            ("plan.min_order_value", plan.min_order_value),
            ("plan.max_turnover", plan.max_turnover.unwrap_or(0.0)),
            ("costs.commission_bps", self.costs.commission_bps),
            (
                "costs.commission_per_share",
                self.costs.commission_per_share,
            ),
            ("costs.commission_min", self.costs.commission_min),
        ];
        for (key, amount) in amounts {
            if !(0.0..1e15).contains(&amount) {
                return fail(key, amount, "a number from 0 on");
            }
        }
        let positive = [
            ("targets.max_weight_sum", self.targets.max_weight_sum),
            ("execution.chase_after_s", execution.chase_after_s),
            ("execution.timeout_s", execution.timeout_s),
            ("execution.deadline_s", execution.deadline_s),
            ("execution.grace_s", execution.grace_s),
            ("execution.patience_s", execution.patience_s),
            ("execution.poll_every_s", execution.poll_every_s),
            ("paper.tick", paper.tick),
            ("paper.lot", paper.lot.unwrap_or(1.0)),
            ("paper.quoted_qty", paper.quoted_qty.unwrap_or(1.0)),
            ("paper.leverage", paper.leverage),
        ];
        for (key, amount) in positive {
            if !(amount > 0.0 && amount < 1e15) {
                return fail(key, amount, "a number above 0");
            }
        }
        if !(0.0..=1_000.0).contains(&execution.collar_bps) {
            let expected = "basis points from 0 to 1000";
            return fail("execution.collar_bps", execution.collar_bps, expected);
        }
        if !(0.0..=1_000.0).contains(&paper.half_spread_bps) {
            let expected = "basis points from 0 to 1000";
            return fail("paper.half_spread_bps", paper.half_spread_bps, expected);
        }
        if !(0.0..1e12).contains(&paper.cash) {
            return fail("paper.cash", paper.cash, "an amount of money from 0 on");
        }
        if !(0.0..86_400.0).contains(&execution.slice_every_s) {
            let expected = "seconds, less than a day";
            return fail("execution.slice_every_s", execution.slice_every_s, expected);
        }
        let counts = [
            ("execution.slices", execution.slices),
            (
                "execution.messages_per_second",
                execution.messages_per_second.unwrap_or(1),
            ),
        ];
        for (key, count) in counts {
            if !(1..=1_000).contains(&count) {
                return fail(key, f64::from(count), "a whole number from 1 to 1000");
            }
        }
        if execution.chase_steps > 1_000 {
            let found = f64::from(execution.chase_steps);
            return fail("execution.chase_steps", found, "a whole number to 1000");
        }
        self.day.check()?;
        self.hours.check()
    }

    /// The accounts, one at least.
    pub fn all_accounts(&self) -> Vec<AccountConfig> {
        if self.accounts.is_empty() {
            vec![self.account.clone()]
        } else {
            self.accounts.clone()
        }
    }

    /// The account of an id, or the only one; all of several when none is asked for.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn accounts_named(&self, wanted: Option<&str>) -> Result<Vec<AccountConfig>> {
        let all = self.all_accounts();
        let Some(wanted) = wanted else {
            return Ok(all);
        };
        if let Some(found) = all.iter().find(|account| account.id == wanted) {
            return Ok(vec![found.clone()]);
        }
        // An id that only the command line gives belongs to the only account.
        match &all[..] {
            [only] if only.id.is_empty() => Ok(vec![AccountConfig {
                id: wanted.to_owned(),
                ..only.clone()
            }]),
            _ => Err(ConfigError::NoAccount {
                wanted: wanted.to_owned(),
                known: all
                    .iter()
                    .map(|account| account.id.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// A path of the configuration, which is relative to its folder.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// Where journals, paper accounts and exported tables are kept.
    pub fn state_folder(&self) -> PathBuf {
        self.path(self.folder.as_deref().unwrap_or(Path::new("rebalancer")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_in_every_table() {
        let tables = [
            "account",
            "targets",
            "plan",
            "execution",
            "hours",
            "day",
            "costs",
            "risk",
            "paper",
            "ibkr",
            "binance",
        ];
        for table in tables {
            let error = Config::from_toml(&format!("[{table}]\nno_such_key = 1")).unwrap_err();
            assert!(
                error.to_string().contains("no_such_key"),
                "{table}: {error}"
            );
        }
        let error = Config::from_toml("[[accounts]]\nno_such_key = 1").unwrap_err();
        assert!(error.to_string().contains("no_such_key"), "{error}");
    }

    #[test]
    fn values_that_cannot_be_are_refused_by_name() {
        let cases = [
            "plan.drift_band = -0.1",
            "plan.drift_band = nan",
            "plan.cash_buffer = 1.0",
            "plan.min_order_value = -1.0",
            "targets.max_weight_sum = 0.0",
            "targets.max_age_h = inf",
            "execution.slices = 0",
            "execution.collar_bps = 2000.0",
            "paper.tick = 0.0",
            "paper.cash = nan",
            "day.since = \"yesterday\"",
        ];
        for case in cases {
            let error = Config::from_toml(case).unwrap_err().to_string();
            let key = case.split(' ').next().unwrap();
            assert!(error.starts_with(key), "{case}: {error}");
        }
    }

    #[test]
    fn an_account_is_found_by_its_id() {
        let config = Config::from_toml(
            "[[accounts]]\nid = \"A\"\n[[accounts]]\nid = \"B\"\nbroker = \"ibkr\"\nmode = \"live\"",
        )
        .unwrap();
        assert_eq!(config.accounts_named(None).unwrap().len(), 2);
        let found = config.accounts_named(Some("B")).unwrap();
        assert_eq!(
            (found[0].broker, found[0].mode),
            (BrokerName::Ibkr, Mode::Live)
        );
        let error = config.accounts_named(Some("C")).unwrap_err().to_string();
        assert!(error.contains("A, B"), "{error}");
        let only = Config::default().accounts_named(Some("MINE")).unwrap();
        assert_eq!(only[0].id, "MINE");
    }
}
