//! Totals against a naive computation in fractions; another order or a larger one never helps.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;

use common::{World, instrument, position, quote, working};
use nanobook::trading::{NewOrder, OrderState, TimeInForce, Units};
use nanobook::{OrderKind, Price, Side};
use nanobook_risk::{Check, Outcome};
use proptest::prelude::*;

const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

const LIMITS: &str = r#"
    short = "allow"
    max_order_qty = 700
    max_order_notional = 50000
    max_batch_notional = 150000
    max_orders_per_run = 4
    max_turnover = 0.2
    max_position_qty = 900
    max_position_notional = 90000
    max_weight = 0.1
    max_gross_exposure = 400000
    max_leverage = 0.45
    max_net_exposure = 0.4
    max_short_exposure = 0.15
    min_cash_buffer = 0.3
    fee_bps = 5
    [groups.g]
    symbols = ["A", "B", "C"]
    limit = 0.2
"#;

/// Checks of the venue's minimums, which a larger quantity is meant to pass.
const MINIMUMS: [Check; 3] = [Check::LotStep, Check::MinQty, Check::MinNotional];

#[derive(Clone, Debug)]
struct Draft {
    name: usize,
    buys: bool,
    qty: i64,
    cents: i64,
}

impl Draft {
    fn order(&self, id: &str) -> NewOrder {
        NewOrder {
            client_order_id: id.parse().unwrap(),
            symbol: NAMES[self.name].parse().unwrap(),
            side: if self.buys { Side::Buy } else { Side::Sell },
            qty: Units::whole(self.qty),
            kind: OrderKind::Limit {
                price: Price(self.cents * 10_000_000),
            },
            tif: TimeInForce::Day,
        }
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    (0..NAMES.len(), any::<bool>(), 1..900_i64, 9_000..11_000_i64).prop_map(
        |(name, buys, qty, cents)| Draft {
            name,
            buys,
            qty,
            cents,
        },
    )
}

fn world(held: &[i64], batch: &[Draft], resting: &[Draft]) -> World {
    let mut world = World::new(LIMITS);
    world.positions = Some(
        held.iter()
            .enumerate()
            .map(|(i, q)| position(NAMES[i], &q.to_string()))
            .collect(),
    );
    world.quotes = NAMES
        .iter()
        .map(|name| quote(name, "99.99", "100.02"))
        .collect();
    world.instruments = NAMES.iter().map(|name| instrument(name)).collect();
    world.orders = batch
        .iter()
        .enumerate()
        .map(|(i, d)| d.order(&format!("b-{i}")))
        .collect();
    world.working = Some(
        resting
            .iter()
            .enumerate()
            .map(|(i, d)| working(&d.order(&format!("w-{i}")), OrderState::Accepted, "0"))
            .collect(),
    );
    world
}

/// What failed, by check and subject.
fn outcomes(world: &World) -> BTreeMap<(Check, String, u32), bool> {
    let report = world.report();
    let mut places = BTreeMap::new();
    for row in report.rows() {
        let index = match row.subject {
            nanobook_risk::Subject::Order { index, .. } => index,
            _ => 0,
        };
        let key = (row.check, report.subject(row), index);
        places.insert(key, row.outcome == Outcome::Pass);
    }
    places
}

fn never_helps(before: &World, after: &World) -> Result<(), TestCaseError> {
    let after = outcomes(after);
    for (key, passed) in outcomes(before) {
        if !passed && !MINIMUMS.contains(&key.0) {
            prop_assert_eq!(after.get(&key), Some(&false), "{:?} passes now", key);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn another_working_order_never_helps(
        held in prop::collection::vec(-900..900_i64, NAMES.len()),
        batch in prop::collection::vec(draft(), 1..6),
        resting in prop::collection::vec(draft(), 1..6),
    ) {
        let fewer = world(&held, &batch, &resting[1..]);
        let more = world(&held, &batch, &resting);
        never_helps(&fewer, &more)?;
    }

    #[test]
    fn a_larger_quantity_never_helps(
        held in prop::collection::vec(-900..900_i64, NAMES.len()),
        mut batch in prop::collection::vec(draft(), 1..6),
        resting in prop::collection::vec(draft(), 0..4),
        which in any::<prop::sample::Index>(),
        more in 1..500_i64,
    ) {
        let before = world(&held, &batch, &resting);
        let at = which.index(batch.len());
        batch[at].qty += more;
        never_helps(&before, &world(&held, &batch, &resting))?;
    }

    /// All in tenths of a cent and whole shares, so plain integers are exact.
    #[test]
    fn totals_are_those_of_a_naive_computation(
        held in prop::collection::vec(-900..900_i64, NAMES.len()),
        batch in prop::collection::vec(draft(), 1..6),
        resting in prop::collection::vec(draft(), 0..6),
    ) {
        // The middle of 99.99 and 100.02, in mills.
        const MID: i64 = 100_005;
        const EQUITY: i64 = 1_000_000_000;
        let world = world(&held, &batch, &resting);
        // Fees are 5 bps of every order, the batch's and the resting ones: in 1e-7 of the currency.
        let all = || batch.iter().chain(&resting);
        let fees: i64 = all().map(|d| d.qty * d.cents * 50).sum();
        let equity = i128::from(EQUITY) * 10_000 - i128::from(fees);
        let (mut gross, mut short, mut lowest, mut highest) = (0, 0, 0, 0);
        for (name, held) in held.iter().enumerate() {
            let sum = |buys: bool| -> i64 {
                all().filter(|d| d.name == name && d.buys == buys).map(|d| d.qty).sum()
            };
            let (low, high) = (held - sum(false), held + sum(true));
            gross += low.abs().max(high.abs()) * MID;
            short += (-low).max(0) * MID;
            lowest += low * MID;
            highest += high * MID;
        }
        let net = i64::abs(lowest).max(highest.abs());
        let ceil = |part: i64| {
            // Mills to 1e-7 of the currency, over equity, in 1e-9, rounded up.
            let part = i128::from(part) * 10_000 * 1_000_000_000;
            part.div_euclid(equity) + i128::from(part.rem_euclid(equity) > 0)
        };
        for (check, sum, limit) in [
            (Check::Leverage, gross, 450_000_000),
            (Check::ShortExposure, short, 150_000_000),
            (Check::NetExposure, net, 400_000_000),
        ] {
            let row = world.worst(check);
            prop_assert_eq!(row.finding.observed, Some(ceil(sum)), "{}", check);
            if row.outcome == Outcome::Fail {
                prop_assert!(ceil(sum) > limit, "{}", check);
            }
        }
        let row = world.worst(Check::GrossExposure);
        prop_assert_eq!(row.finding.observed, Some(i128::from(gross) * 1_000_000));
        let spent: i64 = all().filter(|d| d.buys).map(|d| d.qty * d.cents * 100_000).sum();
        let left = 500_000 * 10_000_000 - spent - fees;
        let row = world.worst(Check::Cash);
        prop_assert_eq!(row.finding.observed, Some(i128::from(left) * 100));
        prop_assert_eq!(row.outcome == Outcome::Pass, left >= 0);
    }
}
