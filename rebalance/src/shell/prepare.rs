//! From targets and what the venue says to a plan that the risk checks have seen.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use nanobook::trading::{Account, Instrument, Order, Position, Quote, TimeInForce, Units};
use nanobook::{Money, Symbol, Timestamp};
use nanobook_broker::{Session as Reached, Venue as VenueName};
use nanobook_risk::{
    Decimal, Limits, RiskEngine, Rule, Session, Severity, Shorting, Situation,
    Targets as RiskTargets,
};

use super::Failure;
use super::day::Past;
use super::log::now;
use super::venue::Venue;
use super::verdict::Verdict;
use crate::config::{AccountConfig, BrokerName, Config, Mode, Opening};
use crate::core::{self, Answer, Leg, Request, Settings, Spend};
use crate::plan::{Inputs, Plan, Settings as PlanSettings, WholeShares, plan};
use crate::targets::{Checks, Shorts, Targets};

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

/// How long before the first question executions are asked for, in nanoseconds.
const BEFORE_NS: i64 = 120_000_000_000;

/// What the venue says of an account.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whom the connection reached.
    pub session: Reached,
    /// Venue time a little before anything was asked: executions are asked for since then.
    pub ts: Timestamp,
    /// The account.
    pub account: Account,
    /// Its positions.
    pub positions: Vec<Position>,
    /// Orders that can still trade.
    pub working: Vec<Order>,
    /// Quotes of what is held and asked for.
    pub quotes: Vec<Quote>,
    /// The venue's rules of the same.
    pub instruments: Vec<Instrument>,
}

/// A plan, and what the risk checks say of it.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What the venue said.
    pub seen: Seen,
    /// The plan.
    pub plan: Plan,
    /// What the risk checks found; none were run when there is no order.
    pub report: Verdict,
}

impl Seen {
    /// Connects and asks; of symbols besides those that are held.
    ///
    /// # Errors
    /// When the venue does not answer a question.
    pub fn ask(venue: &mut Venue, config: &Config, symbols: &[Symbol]) -> Result<Self, Failure> {
        let wait = patience(config);
        let Answer::Connected(session) = venue.ask(Request::Connect, wait)? else {
            return Err(odd("who is there"));
        };
        // Some venues date executions to the second, and clocks differ.
        let venue_now = now().0.saturating_add(session.clock_offset_ns);
        let ts = Timestamp(venue_now.saturating_sub(BEFORE_NS));
        let Answer::Account(account) = venue.ask(Request::Account, wait)? else {
            return Err(odd("its account"));
        };
        let Answer::Positions(positions) = venue.ask(Request::Positions, wait)? else {
            return Err(odd("its positions"));
        };
        let Answer::Orders(working) = venue.ask(Request::Open, wait)? else {
            return Err(odd("its open orders"));
        };
        let held = positions.iter().map(|position| position.symbol);
        let all: BTreeSet<Symbol> = symbols.iter().copied().chain(held).collect();
        let all: Vec<Symbol> = all.into_iter().collect();
        let Answer::Instruments(instruments) =
            venue.ask(Request::Instruments(all.clone()), wait)?
        else {
            return Err(odd("its instruments"));
        };
        // Quotes last, so that they are fresh; some venues are asked for them one by one.
        let each = Duration::from_secs_f64(config.execution.timeout_s)
            * u32::try_from(1 + all.len() / 4).unwrap_or(u32::MAX);
        let Answer::Quotes(quotes) = venue.ask(Request::Quotes(all), wait + each)? else {
            return Err(odd("its quotes"));
        };
        Ok(Self {
            session,
            ts,
            account,
            positions,
            working,
            quotes,
            instruments,
        })
    }
}

fn odd(what: &'static str) -> Failure {
    let detail = "it answered something else".to_owned();
    Failure::Venue { what, detail }
}

/// How long an answer is waited for: longer than a broker itself waits.
pub(crate) fn patience(config: &Config) -> Duration {
    Duration::from_secs_f64(config.execution.timeout_s * 1.5 + 2.0)
}

/// Checks targets before the venue is asked anything.
///
/// # Errors
/// When they are too old, too much, or short what may not be.
pub fn check(config: &Config, targets: &Targets) -> Result<(), Failure> {
    let max_age_h = config.targets.max_age_h;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked when the file was read, and saturating"
    )]
    let max_age_s = (max_age_h > 0.0).then_some((max_age_h * 3_600.0) as u64);
    let short = if config.plan.short {
        Shorts::Allow
    } else {
        Shorts::Refuse
    };
    targets.check(&Checks {
        now: now(),
        max_age_s,
        max_weight_sum: config.targets.max_weight_sum,
        short,
    })?;
    Ok(())
}

/// Asks the venue, makes a plan, and lets the risk checks see it.
///
/// # Errors
/// When the targets can't be, the venue does not answer, or no plan can be made.
pub fn prepare(
    config: &Config,
    account: &AccountConfig,
    targets: &Targets,
    venue: &mut Venue,
    past: &Past,
) -> Result<Prepared, Failure> {
    check(config, targets)?;
    let seen = Seen::ask(venue, config, &targets.symbols())?;
    let known = seen.instruments.iter().map(|i| i.symbol).collect();
    targets.check_known(&known)?;
    let venue_now = Timestamp(now().0.saturating_add(seen.session.clock_offset_ns));
    let whole = if venue.capabilities().venue == VenueName::Binance {
        WholeShares::No
    } else {
        WholeShares::Yes
    };
    let mut settings = PlanSettings::new(config, whole);
    if let Some(least) = targets.constraints.min_order_value {
        settings.plan.min_order_value = settings.plan.min_order_value.max(least);
    }
    let mut plan = plan(
        &Inputs {
            targets,
            account: &seen.account,
            positions: &seen.positions,
            quotes: &seen.quotes,
            instruments: &seen.instruments,
            now: venue_now,
        },
        &settings,
    )?;
    let foreign = foreign(&plan, &seen.working);
    if foreign > 0 {
        plan.remarks.push(format!(
            "{foreign} open orders of others are in what is to be traded; they stay as they are"
        ));
    }
    let opening = config.hours.at(account.broker, venue_now);
    if opening == Opening::Closed {
        plan.remarks.push("the market is closed".to_owned());
    }
    plan.remarks.extend(past.remark.clone());
    let report = if plan.orders().next().is_none() {
        Verdict::default()
    } else {
        let orders = plan.proposed(tif(venue));
        let weights = targets.weights();
        let risk_targets = RiskTargets {
            as_of: targets.as_of.unwrap_or(Timestamp(0)),
            weights: &weights,
        };
        let situation = Situation {
            working: Some(&seen.working),
            positions: Some(&seen.positions),
            account: Some(&seen.account),
            quotes: &seen.quotes,
            instruments: &seen.instruments,
            targets: targets.as_of.is_some().then_some(&risk_targets),
            plan: Some(&orders),
            day: past.history.map(|history| history.day(seen.account.equity)),
            session: Session {
                kill_switch: past.killed,
                halted: Some(false),
                reduce_only: Some(false),
                market_open: Some(opening == Opening::Open),
                account_id: Some(if account.id.is_empty() {
                    &seen.session.account_id
                } else {
                    &account.id
                }),
                paper: Some(account.mode == Mode::Paper),
                unexplained: Some(foreign),
                orders_sent: Some(0),
                messages_sent: Some(0),
                runs: past.history.map(|history| history.runs()),
            },
            ..Situation::new(venue_now)
        };
        let engine = RiskEngine::new(limits(config, targets));
        Verdict::new(&engine, &orders, &situation)
    };
    Ok(Prepared { seen, plan, report })
}

/// Open orders of others in symbols that are to be traded.
fn foreign(plan: &Plan, working: &[Order]) -> u32 {
    let traded: BTreeSet<Symbol> = plan.orders().map(|order| order.symbol).collect();
    let count = working
        .iter()
        .filter(|order| traded.contains(&order.symbol))
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn broker_of(venue: &Venue) -> BrokerName {
    match venue.capabilities().venue {
        VenueName::Ibkr => BrokerName::Ibkr,
        VenueName::Binance => BrokerName::Binance,
        _ => BrokerName::Paper,
    }
}

/// How long orders live.
fn tif(venue: &Venue) -> TimeInForce {
    if venue.capabilities().tifs.contains(&TimeInForce::Day) {
        TimeInForce::Day
    } else {
        TimeInForce::Gtc
    }
}

/// The limits of the configuration, tighter where the file of targets says so, with the fees that are set aside.
pub fn limits(config: &Config, targets: &Targets) -> Limits {
    let mut limits = config.risk.clone();
    let tighten = |rule: &mut Option<Rule>, limit: Option<f64>| {
        let Some(limit) = limit.and_then(|limit| nanobook::trading::decimal::nearest(limit).ok())
        else {
            return;
        };
        let tighter = Rule::hard(Decimal(limit));
        if rule.is_none_or(|rule| rule.severity != Severity::Hard || rule.limit > tighter.limit) {
            *rule = Some(tighter);
        }
    };
    tighten(&mut limits.max_weight, targets.constraints.max_weight);
    tighten(&mut limits.max_leverage, targets.constraints.max_leverage);
    let fee_bps = Decimal(i128::from(config.costs.fee_bps()) * nanobook::trading::decimal::ONE);
    limits.fee_bps = limits.fee_bps.max(fee_bps);
    limits.min_fee = limits.min_fee.max(Decimal(config.costs.min_fee().0));
    if config.plan.short && limits.short == Shorting::Refuse {
        limits.short = Shorting::Allow;
    }
    if config.plan.margin {
        limits.cash = Severity::Off;
    }
    limits
}

/// The limits that are looked at again before each order: those that need neither targets nor the day.
pub fn running_limits(mut limits: Limits) -> Limits {
    limits.targets = Severity::Off;
    limits.plan_equality = Severity::Off;
    limits.max_target_age_s = None;
    limits.max_weight_sum = None;
    limits.max_day_turnover = None;
    limits.max_runs = None;
    limits.max_daily_loss = None;
    limits.max_drawdown = None;
    limits.max_adv_participation = None;
    limits
}

impl Prepared {
    /// The plan as the core carries it out.
    pub fn approved(&self, config: &Config, venue: &Venue, run_id: &str) -> core::Plan {
        let slices = config.execution.slices;
        let instruments = self.seen.instruments.iter().map(|i| (i.symbol, i));
        let instruments: HashMap<Symbol, &Instrument> = instruments.collect();
        let positions = self.seen.positions.iter().map(|p| (p.symbol, p.qty));
        let positions: HashMap<Symbol, Units> = positions.collect();
        let leg = |order: &crate::plan::Draft| {
            let instrument = *instruments.get(&order.symbol)?;
            let held = positions.get(&order.symbol);
            Some(Leg {
                instrument: Instrument {
                    lot: order.lot,
                    ..*instrument
                },
                side: order.side,
                qty: order.qty,
                start: held.copied().unwrap_or_default(),
                ref_px: order.mid,
                worst_px: order.limit,
                slices,
            })
        };
        let legs: Vec<Leg> = self.plan.orders().filter_map(leg).collect();
        let traded: BTreeSet<Symbol> = legs.iter().map(Leg::symbol).collect();
        let held = self.seen.positions.iter().map(|position| position.symbol);
        core::Plan {
            run_id: run_id.to_owned(),
            account_id: self.seen.session.account_id.clone(),
            is_paper: self.seen.session.is_paper,
            ts: self.seen.ts,
            cash: self.seen.account.cash,
            equity: self.seen.account.equity,
            legs,
            watch: held.filter(|symbol| !traded.contains(symbol)).collect(),
            settings: self.settings(config, venue, broker_of(venue)),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked when the file was read, and saturating"
    )]
    fn settings(&self, config: &Config, venue: &Venue, broker: BrokerName) -> Settings {
        let execution = &config.execution;
        let ns = |seconds: f64| (seconds * SECOND) as i64;
        let lag = venue.capabilities().visibility_lag_ns;
        let steps = f64::from(execution.chase_steps.max(1));
        let buffer = config.plan.cash_buffer * self.plan.equity;
        let age = config
            .risk
            .max_quote_age_s
            .map_or(i128::MAX, |rule| rule.limit.0);
        let grace_ns = ns(execution.grace_s).max(lag.saturating_mul(2));
        Settings {
            request_timeout_ns: i64::try_from(patience(config).as_nanos()).unwrap_or(i64::MAX),
            poll_ns: ns(execution.poll_every_s),
            grace_ns,
            // Nobody is called before an order could be found or be known to be absent.
            patience_ns: ns(execution.patience_s).max(grace_ns.saturating_mul(2)),
            deadline_ns: ns(execution.deadline_s),
            chase_ns: ns(execution.chase_after_s),
            chases: execution.chase_steps,
            offset_bps: 0,
            chase_bps: (execution.collar_bps / steps).ceil() as u32,
            slice_ns: ns(execution.slice_every_s),
            quote_age_ns: i64::try_from(age).unwrap_or(i64::MAX),
            rate: execution.rate(broker),
            fee_bps: config.costs.fee_bps(),
            min_fee: config.costs.min_fee(),
            cash_buffer: Money(nanobook::trading::decimal::nearest(buffer).unwrap_or(0)),
            spend: if config.plan.margin {
                Spend::BuyingPower
            } else {
                Spend::Cash
            },
            tif: tif(venue),
            ..Settings::default()
        }
    }
}
