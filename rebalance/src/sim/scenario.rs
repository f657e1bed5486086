//! An account, a market and a plan of a seed.

use nanobook::trading::{Instrument, InstrumentState, TimeInForce, Units};
use nanobook::{Money, Price, Side, Symbol, Timestamp};

use super::rng::Rng;
use super::venue::Model;
use crate::core::{Leg, Plan, Settings, Spend};

pub(super) const MS: i64 = 1_000_000;
pub(super) const SECOND: i64 = 1_000 * MS;
pub(super) const NANO: i128 = 1_000_000_000;

/// A cent, the tick of every instrument.
pub(super) const TICK: i64 = 10_000_000;

/// When every run begins, on the wall.
pub(super) const START: i64 = 1_700_000_000 * SECOND;

/// What a run begins with.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) plan: Plan,
    /// Instruments, those of the legs first.
    pub(super) instruments: Vec<Instrument>,
    pub(super) held: Vec<i128>,
    /// Middle of each instrument's quote, in ticks.
    pub(super) ticks: Vec<i64>,
}

/// Short, so that a run is short: what matters is their order, and that the grace is longer than the venue's lag.
fn settings(model: Model, rng: &mut Rng) -> Settings {
    Settings {
        request_timeout_ns: 3 * SECOND,
        poll_ns: 500 * MS,
        grace_ns: 4 * SECOND,
        absent_answers: 3,
        patience_ns: 15 * SECOND,
        deadline_ns: 120 * SECOND,
        chase_ns: 3 * SECOND,
        chases: 4,
        offset_bps: u32::try_from(rng.between(0, 5)).unwrap_or(0),
        chase_bps: 3,
        refusals: 3,
        slice_ns: 2 * SECOND,
        quote_age_ns: 5 * SECOND,
        rate: 8,
        batch: 3,
        fee_bps: match model {
            Model::Ibkr => 5,
            Model::Binance => 10,
        },
        min_fee: Money(0),
        cash_buffer: Money(0),
        spend: Spend::Cash,
        tif: match model {
            Model::Ibkr => TimeInForce::Day,
            Model::Binance => TimeInForce::Gtc,
        },
    }
}

impl Scenario {
    pub(super) fn new(model: Model, rng: &mut Rng) -> Self {
        let legs = usize::try_from(rng.between(2, 4)).unwrap_or(2);
        let mut instruments = Vec::new();
        let mut held = Vec::new();
        let mut ticks = Vec::new();
        let mut plan_legs = Vec::new();
        let mut need = 0;
        let mut settings = settings(model, rng);
        for at in 0..=legs {
            let rules = instrument(model, at);
            let lots = match model {
                Model::Ibkr => rng.between(20, 200),
                Model::Binance => rng.between(500, 5_000),
            };
            let middle = rng.between(2_000, 20_000);
            let price = Price(middle * TICK);
            let has = if rng.chance(70) { lots } else { 0 };
            let start = Units(rules.lot.0 * i128::from(has));
            if at < legs {
                let side = if has > 0 && rng.chance(50) {
                    Side::Sell
                } else {
                    Side::Buy
                };
                let part = if side == Side::Sell {
                    rng.between(has / 4, has)
                } else {
                    rng.between(lots / 4, lots)
                };
                let qty = Units(rules.lot.0 * i128::from(part.max(1)));
                if side == Side::Buy {
                    need += qty.0 * i128::from(price.0) / NANO;
                }
                let collar = middle / if rng.chance(30) { 1_000 } else { 50 };
                plan_legs.push(Leg {
                    instrument: rules,
                    side,
                    qty,
                    start,
                    ref_px: price,
                    worst_px: Price((middle + collar * i64::from(side.sign())) * TICK),
                    slices: if rng.chance(70) { 1 } else { 3 },
                });
            }
            instruments.push(rules);
            held.push(start.0);
            ticks.push(middle);
        }
        let cash = need * i128::from(rng.between(50, 150)) / 100 + 100 * NANO;
        settings.cash_buffer = Money(cash / 50);
        let watch = vec![instruments[legs].symbol];
        Self {
            plan: Plan {
                run_id: format!("run {}", rng.next()),
                account_id: "SIM".into(),
                is_paper: true,
                ts: Timestamp(START - SECOND),
                cash: Money(cash),
                equity: None,
                legs: plan_legs,
                watch,
                settings,
            },
            instruments,
            held,
            ticks,
        }
    }
}

fn instrument(model: Model, at: usize) -> Instrument {
    let symbol = |text: &str| -> Symbol { text.parse().expect("a symbol") };
    let names = ["AAA", "BBB", "CCC", "DDD", "EEE"];
    let is_coin = model == Model::Binance;
    Instrument {
        symbol: symbol(names[at]),
        currency: symbol("USD"),
        base: is_coin.then(|| symbol(&names[at][..1])),
        tick: Price(TICK),
        lot: if is_coin {
            Units(1_000_000)
        } else {
            Units::whole(1)
        },
        min_qty: None,
        max_qty: None,
        min_price: None,
        max_price: None,
        min_notional: is_coin.then_some(Money(5 * NANO)),
        max_notional: None,
        state: InstrumentState::Trading,
    }
}
