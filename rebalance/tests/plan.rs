//! Plans: the orders of the backtest, and what a venue, a person and the cash take away from them.

#![allow(clippy::unwrap_used, reason = "tests and their helpers")]
#![allow(
    clippy::float_cmp,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::print_stderr,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "numbers that are exact, texts that are small, and names of what is compared"
)]

use nanobook::backtest::{Config as BacktestConfig, Journal, Matrix, Panel, Schedule, run};
use nanobook::portfolio::{BandTo, CostModel, Overdraft, PerSymbol, Rule};
use nanobook::trading::decimal;
use nanobook::trading::{Account, Instrument, InstrumentState, Position, Quote, Units};
use nanobook::{Money, Price, Side, Symbol, Timestamp};
use nanobook_rebalance::config::{Config, Name};
use nanobook_rebalance::plan::{Inputs, Note, Plan, PlanError, Settings, WholeShares, plan};
use nanobook_rebalance::show::{Confirmation, Length, Table, svg};
use nanobook_rebalance::tables;
use nanobook_rebalance::targets::{Constraints, Place, Restriction, Target, Targets};
use proptest::prelude::*;

fn symbol(at: usize) -> Symbol {
    format!("S{at:04}").parse().unwrap()
}

fn price(value: f64) -> Price {
    Price(i64::try_from(decimal::nearest(value).unwrap()).unwrap())
}

/// An account, its market, and what is wanted of it.
struct World {
    cash: f64,
    held: Vec<f64>,
    targets: Vec<Target>,
    quotes: Vec<Quote>,
    instruments: Vec<Instrument>,
}

impl World {
    /// Quotes without a spread, so that nothing costs anything that a backtest does not charge.
    fn new(cash: f64, held: &[f64], prices: &[f64], weights: &[f64]) -> Self {
        let rows = weights.iter().enumerate().map(|(at, weight)| Target {
            symbol: symbol(at),
            weight: *weight,
            min_weight: None,
            max_weight: None,
            restrict: Restriction::None,
            place: Place::Row(at as u64 + 1),
        });
        let quotes = prices.iter().enumerate().map(|(at, value)| Quote {
            symbol: symbol(at),
            bid_px: Some(price(*value)),
            bid_qty: None,
            ask_px: Some(price(*value)),
            ask_qty: None,
            last_px: None,
            data_type: None,
            ts_event: Timestamp(0),
        });
        let instruments = prices.iter().enumerate().map(|(at, _)| Instrument {
            symbol: symbol(at),
            currency: "USD".parse().unwrap(),
            base: None,
            tick: Price(10_000_000),
            lot: Units::whole(1),
            min_qty: None,
            max_qty: None,
            min_price: None,
            max_price: None,
            min_notional: None,
            max_notional: None,
            state: InstrumentState::Trading,
        });
        Self {
            cash,
            held: held.to_vec(),
            targets: rows.collect(),
            quotes: quotes.collect(),
            instruments: instruments.collect(),
        }
    }

    fn try_plan(&self, settings: &Settings) -> Result<Plan, PlanError> {
        let targets = Targets {
            source: "a test".to_owned(),
            account_id: None,
            as_of: None,
            rows: self.targets.clone(),
            constraints: Constraints::default(),
        };
        let positions: Vec<Position> = self
            .held
            .iter()
            .enumerate()
            .map(|(at, qty)| Position {
                account_id: "PAPER".to_owned(),
                symbol: symbol(at),
                qty: Units(decimal::nearest(*qty).unwrap()),
                available: None,
                avg_px: None,
                market_px: None,
            })
            .collect();
        let account = Account {
            account_id: "PAPER".to_owned(),
            currency: "USD".parse().unwrap(),
            equity: None,
            cash: Money(decimal::nearest(self.cash).unwrap()),
            buying_power: None,
            is_paper: true,
            ts_event: None,
        };
        plan(
            &Inputs {
                targets: &targets,
                account: &account,
                positions: &positions,
                quotes: &self.quotes,
                instruments: &self.instruments,
                now: Timestamp(0),
            },
            settings,
        )
    }

    fn plan(&self, toml: &str) -> Plan {
        self.try_plan(&settings(toml)).unwrap()
    }
}

fn settings(toml: &str) -> Settings {
    Settings::new(&Config::from_toml(toml).unwrap(), WholeShares::Yes)
}

/// Signed quantities of a plan, by symbol.
fn orders(plan: &Plan) -> Vec<(Symbol, f64)> {
    let mut orders: Vec<(Symbol, f64)> = plan
        .orders()
        .map(|order| (order.symbol, order.signed().as_f64()))
        .collect();
    orders.sort_by_key(|order| order.0);
    orders
}

fn note(plan: &Plan, at: usize) -> Option<Note> {
    plan.rows
        .iter()
        .find(|row| row.symbol == symbol(at))
        .unwrap()
        .note
}

/// A case of both: prices of two rows, weights of each, and a rule.
#[derive(Clone, Debug)]
struct Case {
    prices: Vec<[f64; 2]>,
    weights: Vec<[f64; 2]>,
    lot: f64,
    band: f64,
    edge: bool,
    min_value: f64,
    turnover: Option<f64>,
    bps: f64,
}

fn cases() -> impl Strategy<Value = Case> {
    (1..12_usize).prop_flat_map(|count| {
        // Prices of two decimals, which both sides hold exactly.
        let cents = || (100..50_000_i32).prop_map(|cents| f64::from(cents) / 100.0);
        let weight = || prop_oneof![2 => Just(0.0), 5 => 0.0..1.0];
        (
            prop::collection::vec([cents(), cents()], count),
            prop::collection::vec([weight(), weight()], count),
            prop_oneof![Just(1.0), Just(10.0), Just(0.001)],
            prop_oneof![Just(0.0), 0.0..0.1],
            any::<bool>(),
            prop_oneof![Just(0.0), 0.0..5_000.0],
            prop::option::of(0.05..1.5),
            prop_oneof![Just(0.0), Just(5.0)],
        )
            .prop_map(
                |(prices, mut weights, lot, band, edge, min_value, turnover, bps)| {
                    for row in 0..2 {
                        let sum: f64 = weights.iter().map(|weight: &[f64; 2]| weight[row]).sum();
                        // Less than all, so that cash is never what decides.
                        let scale = 0.9 / sum.max(0.9);
                        for weight in &mut weights {
                            weight[row] *= scale;
                        }
                    }
                    Case {
                        prices,
                        weights,
                        lot,
                        band,
                        edge,
                        min_value,
                        turnover,
                        bps,
                    }
                },
            )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The backtest trades two rows of weights. The rebalancer gets what the backtest held before the second, its cash,
    /// its prices and its weights: its orders are those that the backtest filled.
    #[test]
    fn the_rebalancer_sends_what_the_backtest_filled(case in cases()) {
        let count = case.prices.len();
        let symbols: Vec<String> = (0..count).map(|at| symbol(at).to_string()).collect();
        let rows = |values: &[[f64; 2]]| -> Vec<f64> {
            (0..2).flat_map(|row| values.iter().map(move |value| value[row])).collect()
        };
        let (prices, weights) = (rows(&case.prices), rows(&case.weights));
        let panel = Panel::new(&[1, 2], &symbols, Matrix::from_rows(&prices, count).unwrap()).unwrap();
        let schedule = Schedule::new(&[1, 2], &symbols, Matrix::from_rows(&weights, count).unwrap()).unwrap();
        let config = BacktestConfig {
            cash: 1_000_000.0,
            rule: Rule {
                lot: PerSymbol::All(case.lot),
                overdraft: Overdraft::Scale,
                no_trade_band: case.band,
                band_to: if case.edge { BandTo::Edge } else { BandTo::Target },
                min_order_value: case.min_value,
                max_turnover: case.turnover,
                ..Rule::default()
            },
            costs: CostModel::bps(case.bps),
            ..BacktestConfig::default()
        };
        let mut journal = Journal::default();
        run(&panel, &schedule, &config, &mut journal).unwrap();
        let mut held = vec![0.0; count];
        let mut cash = 1_000_000.0;
        for fill in journal.fills.iter().filter(|fill| fill.row == 0) {
            held[fill.symbol] += fill.qty;
            cash -= fill.qty * fill.price + fill.cost.commission;
        }
        // What both hold must be the same to the last digit: a thousandth is one of 1e-9.
        for qty in &mut held {
            *qty = (*qty * 1e3).round() / 1e3;
        }
        let second: Vec<f64> = case.prices.iter().map(|price| price[1]).collect();
        let wanted: Vec<f64> = case.weights.iter().map(|weight| weight[1]).collect();
        let mut world = World::new(cash, &held, &second, &wanted);
        for instrument in &mut world.instruments {
            instrument.lot = Units(decimal::nearest(case.lot).unwrap());
        }
        let turnover = case.turnover.map_or(String::new(), |most| format!("max_turnover = {most:?}"));
        let toml = format!(
            "[plan]\nfractional = true\ndrift_band = {:?}\ntrade_to = \"{}\"\nmin_order_value = {:?}\n{turnover}\n\
             [costs]\ncommission_bps = {:?}\n[execution]\ncollar_bps = 0.0",
            case.band,
            if case.edge { "edge" } else { "target" },
            case.min_value,
            case.bps,
        );
        let mut expected: Vec<(Symbol, f64)> = journal
            .fills
            .iter()
            .filter(|fill| fill.row == 1)
            .map(|fill| (symbol(fill.symbol), (fill.qty * 1e3).round() / 1e3))
            .collect();
        expected.sort_by_key(|order| order.0);
        let got = orders(&world.plan(&toml));
        prop_assert_eq!(got.len(), expected.len(), "{:?} {:?}", got, expected);
        for ((symbol, qty), (other, wanted)) in got.iter().zip(&expected) {
            prop_assert_eq!(symbol, other);
            prop_assert!((qty - wanted).abs() < 1e-6, "{}: {} and {}", symbol, qty, wanted);
        }
    }

    /// Whatever the market and the targets: orders are on lots and ticks, within the collar, and cash is enough when all
    /// fill at their limits.
    #[test]
    fn a_plan_keeps_its_promises(
        case in cases(),
        cash in 0.0..100_000.0_f64,
        shares in prop::collection::vec(0..500_i32, 12),
        spread in 0..50_i32,
        buffer in prop_oneof![Just(0.0), Just(0.05)],
    ) {
        let held: Vec<f64> = shares.iter().take(case.prices.len()).map(|n| f64::from(*n)).collect();
        let prices: Vec<f64> = case.prices.iter().map(|price| price[1]).collect();
        let mut weights: Vec<f64> = case.weights.iter().map(|weight| weight[1]).collect();
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 {
            for weight in &mut weights {
                *weight /= sum;
            }
        }
        let mut world = World::new(cash, &held, &prices, &weights);
        for quote in &mut world.quotes {
            quote.ask_px = Some(Price(quote.ask_px.unwrap().0 + i64::from(spread) * 10_000_000));
        }
        let toml = format!("[plan]\ncash_buffer = {buffer:?}\n[costs]\ncommission_bps = 5.0\ncommission_min = 1.0");
        let plan = match world.try_plan(&settings(&toml)) {
            Ok(plan) => plan,
            Err(PlanError::NoEquity { equity }) => {
                prop_assert!(equity <= 0.0);
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let mut left = plan.cash.as_f64();
        for order in plan.orders() {
            let at = world.quotes.iter().position(|quote| quote.symbol == order.symbol).unwrap();
            let quote = &world.quotes[at];
            prop_assert!(order.qty.0 > 0 && order.qty.floor_to(Units::whole(1)) == order.qty);
            prop_assert_eq!(order.limit.0 % 10_000_000, 0);
            let (far, near) = (quote.ask_px.unwrap().as_f64(), quote.bid_px.unwrap().as_f64());
            let value = order.notional();
            let fee = (value * 5e-4).max(1.0);
            if order.side == Side::Buy {
                prop_assert!(order.limit.as_f64() >= far && order.limit.as_f64() <= far * 1.0025 + 1e-9);
                left -= value + fee;
            } else {
                prop_assert!(order.limit.as_f64() <= near && order.limit.as_f64() >= near * 0.9975 - 1e-9);
                prop_assert!(order.qty.as_f64() <= held[at]);
                left += value - fee;
            }
        }
        let buys = plan.of_side(Side::Buy).count();
        prop_assert!(buys == 0 || left >= buffer * plan.equity - 1e-6, "{} left", left);
        prop_assert!((left - plan.cash_after).abs() < 0.01 * (1 + plan.rows.len()) as f64);
        let sides: Vec<Side> = plan.orders().map(|order| order.side).collect();
        prop_assert!(sides.is_sorted_by_key(|side| *side == Side::Buy), "sells come first");
    }
}

#[test]
fn restrictions_take_orders_away_and_their_money_too() {
    let mut world = World::new(
        0.0,
        &[100.0, 100.0, 0.0],
        &[10.0, 10.0, 10.0],
        &[0.0, 0.0, 1.0],
    );
    let free = world.plan("execution.collar_bps = 0.0");
    let all = [(symbol(0), -100.0), (symbol(1), -100.0), (symbol(2), 200.0)];
    // A unit is set aside for rounding, which is the last share.
    assert_eq!(orders(&free)[..2], all[..2]);
    assert_eq!(orders(&free)[2].1, 199.0);
    world.targets[0].restrict = Restriction::BuyOnly;
    let kept = world.plan("execution.collar_bps = 0.0");
    assert_eq!(orders(&kept), [(symbol(1), -100.0), (symbol(2), 99.0)]);
    assert_eq!(note(&kept, 0), Some(Note::BuyOnly));
    assert_eq!(note(&kept, 2), Some(Note::Cash));
    world.targets[0].restrict = Restriction::NoTrade;
    assert_eq!(note(&world.plan(""), 0), Some(Note::NoTrade));
    world.targets[0].restrict = Restriction::None;
    world.targets[2].restrict = Restriction::SellOnly;
    assert_eq!(orders(&world.plan("")).len(), 2);
    let buys = world.plan("plan.direction = \"buy_only\"");
    assert_eq!(orders(&buys), []);
    let untouched = world.plan("plan.untouchable = [\"S0000\", \"S0001\"]");
    assert_eq!(orders(&untouched), []);
    assert_eq!(note(&untouched, 0), Some(Note::Untouchable));
}

#[test]
fn what_the_targets_do_not_name_is_sold_or_kept() {
    let mut world = World::new(1_000.0, &[50.0, 50.0], &[10.0, 10.0], &[0.5, 0.5]);
    world.targets.remove(1);
    let sold = world.plan("");
    assert_eq!(orders(&sold)[1], (symbol(1), -50.0));
    assert_eq!(note(&sold, 1), Some(Note::Unlisted));
    let kept = world.plan("plan.unlisted = \"keep\"");
    assert_eq!(note(&kept, 1), Some(Note::Kept));
    assert!(orders(&kept).iter().all(|order| order.0 == symbol(0)));
}

#[test]
fn bounds_leave_alone_and_trade_to_the_edge() {
    // 60 of 100 shares: a weight of 0.6 against a target of 0.5.
    let mut world = World::new(400.0, &[60.0], &[10.0], &[0.5]);
    world.targets[0].min_weight = Some(0.4);
    world.targets[0].max_weight = Some(0.6);
    let inside = world.plan("");
    assert_eq!(note(&inside, 0), Some(Note::WithinBand));
    world.targets[0].max_weight = Some(0.55);
    assert_eq!(orders(&world.plan("")), [(symbol(0), -10.0)]);
    assert_eq!(
        orders(&world.plan("plan.trade_to = \"edge\"")),
        [(symbol(0), -5.0)]
    );
    let both = "[plan]\ntrade_to = \"edge\"\ndrift_band = 0.02";
    assert_eq!(orders(&world.plan(both)), [(symbol(0), -5.0)]);
    // Without bounds the band of the configuration counts.
    let world = World::new(400.0, &[60.0], &[10.0], &[0.5]);
    assert_eq!(orders(&world.plan("[plan]\ndrift_band = 0.11")), []);
    assert_eq!(
        orders(&world.plan("[plan]\ndrift_band = 0.09")),
        [(symbol(0), -10.0)]
    );
    assert_eq!(orders(&world.plan(both)), [(symbol(0), -8.0)]);
}

#[test]
fn a_quote_that_is_none_trades_nothing_and_says_why() {
    type Change = fn(&mut World);
    let world = || World::new(1_000.0, &[50.0, 0.0], &[10.0, 10.0], &[0.0, 0.5]);
    let changes: [(Change, Note); 6] = [
        (|w| w.quotes[1].ask_px = None, Note::OneSided),
        (|w| w.quotes[1].bid_px = Some(Price(0)), Note::OneSided),
        (
            |w| w.quotes[1].bid_px = Some(Price(11_000_000_000)),
            Note::Crossed,
        ),
        (
            |w| w.quotes[1].ts_event = Timestamp(-61_000_000_000),
            Note::StaleQuote,
        ),
        (
            |w| w.instruments[1].state = InstrumentState::Halted,
            Note::Halted,
        ),
        (|w| w.quotes.truncate(1), Note::NoQuote),
    ];
    for (change, expected) in changes {
        let mut world = world();
        change(&mut world);
        let plan = world.plan("");
        assert_eq!(note(&plan, 1), Some(expected));
        assert_eq!(orders(&plan), [(symbol(0), -50.0)]);
        assert!(!plan.reaches(), "{expected}: the next start tries again");
    }
    let mut world = world();
    world.quotes.remove(0);
    let error = world.try_plan(&settings("")).unwrap_err();
    assert_eq!(error, PlanError::NoPrice { symbol: symbol(0) });
}

#[test]
fn the_venue_bounds_orders() {
    let mut world = World::new(10_000.0, &[0.5, 100.0], &[10.0, 10.0], &[0.0, 0.9]);
    world.instruments[1].max_qty = Some(Units::whole(300));
    let plan = world.plan("");
    assert_eq!(orders(&plan), [(symbol(1), 300.0)]);
    assert_eq!(note(&plan, 1), Some(Note::TooLarge));
    assert_eq!(
        note(&plan, 0),
        Some(Note::TooSmall),
        "half a share is no lot"
    );
    world.instruments[1].min_notional = Some(decimal::money("100000").unwrap());
    assert_eq!(note(&world.plan(""), 1), Some(Note::TooSmall));
    world.instruments[1].currency = "EUR".parse().unwrap();
    assert!(matches!(
        world.try_plan(&settings("")),
        Err(PlanError::Currency { .. })
    ));
}

#[test]
fn an_account_without_equity_has_no_plan() {
    let world = World::new(0.0, &[0.0], &[10.0], &[1.0]);
    assert!(matches!(
        world.try_plan(&settings("")),
        Err(PlanError::NoEquity { .. })
    ));
    let world = World::new(-100.0, &[5.0], &[10.0], &[1.0]);
    assert!(matches!(
        world.try_plan(&settings("")),
        Err(PlanError::NoEquity { .. })
    ));
}

#[test]
fn a_buffer_scales_what_would_leave_less() {
    let world = World::new(100_000.0, &[0.0, 0.0], &[10.0, 10.0], &[0.5, 0.5]);
    let plan = world.plan("[plan]\ncash_buffer = 0.1\n[execution]\ncollar_bps = 0.0");
    assert_eq!(orders(&plan), [(symbol(0), 4_499.0), (symbol(1), 4_499.0)]);
    assert!(
        plan.remarks.iter().any(|remark| remark.contains("buffer")),
        "{:?}",
        plan.remarks
    );
    let world = World::new(100_000.0, &[0.0, 0.0], &[10.0, 10.0], &[0.4, 0.4]);
    let plan = world.plan("[plan]\ncash_buffer = 0.1\n[execution]\ncollar_bps = 0.0");
    assert_eq!(orders(&plan), [(symbol(0), 4_000.0), (symbol(1), 4_000.0)]);
}

/// 5,000 targets against 5,000 positions.
fn large() -> World {
    let count = 5_000;
    let price = |at: usize| 5.0 + (at % 397) as f64 * 0.25;
    let prices: Vec<f64> = (0..count).map(price).collect();
    let held: Vec<f64> = (0..count).map(|at| ((at * 7_919) % 200) as f64).collect();
    World::new(1e6, &held, &prices, &vec![0.98 / count as f64; count])
}

#[test]
fn five_thousand_rows_stay_readable() {
    let plan = large().plan("");
    let count = plan.orders().count();
    assert!(count > 4_000, "{count} orders");
    let short = Table::new(&plan, Length::Short).to_string();
    assert!(short.lines().count() < 60, "{}", short.lines().count());
    assert!(
        short.lines().all(|line| line.chars().count() <= 140),
        "{short}"
    );
    assert!(
        short.contains("more sells") && short.contains("more buys"),
        "{short}"
    );
    let full = Table::new(&plan, Length::Full).to_string();
    assert!(full.lines().count() >= 5_000);
    let picture = svg(&plan);
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n") && picture.len() < 40_000);
    assert!(picture.contains("more symbols"));
    let batch = tables::plan(&plan).unwrap();
    assert_eq!(batch.num_rows(), 5_000);
    let question = Confirmation {
        plan: &plan,
        broker: "paper",
        is_live: true,
        risk: "1 check, 0 failed",
    }
    .to_string();
    for word in [
        "PAPER at paper",
        "LIVE",
        "notional",
        "largest",
        "smaller ones",
    ] {
        assert!(question.contains(word), "{question} lacks {word}");
    }
}

#[test]
fn a_name_of_the_configuration_is_a_symbol() {
    let name = Name(symbol(1));
    assert!(
        settings("plan.untouchable = [\"S0001\"]")
            .plan
            .untouchable
            .contains(&name)
    );
}
