//! Of every check: the value just inside passes, the value just outside fails, and without its input it fails.

#![allow(
    clippy::too_many_lines,
    clippy::semicolon_if_nothing_returned,
    clippy::unnecessary_wraps,
    reason = "a table of cases reads better whole"
)]

mod common;

use std::collections::BTreeSet;

use common::{SECOND, World, money, order, position, px, qty, quote, sym, working};
use nanobook::trading::{DataType, InstrumentState, OrderState, Units};
use nanobook::{Money, OrderKind, Price, Side, Timestamp};
use nanobook_risk::{Check, Day, Outcome, Reason};

type Change = fn(&mut World);

/// A check, its limits, and what to change: nothing or little, a little more, and what takes away what it needs.
/// `None` where a check needs nothing that can be missing.
struct Case(Check, &'static str, Change, Change, Option<Change>);

fn same(_: &mut World) {}

fn no_quote(w: &mut World) {
    w.quotes.retain(|q| q.symbol != sym("A"));
}

fn no_instrument(w: &mut World) {
    w.instruments.retain(|i| i.symbol != sym("A"));
}

fn no_positions(w: &mut World) {
    w.positions = None;
}

fn no_working(w: &mut World) {
    w.working = None;
}

fn no_account(w: &mut World) {
    w.account = None;
}

fn no_equity(w: &mut World) {
    w.account().equity = Some(Money(0));
}

fn no_held_price(w: &mut World) {
    w.quotes.retain(|q| q.symbol != sym("B"));
}

fn one_more(w: &mut World) {
    w.orders[0].qty = qty("1001");
}

fn limit(w: &mut World, text: &str) {
    w.orders[0].kind = OrderKind::Limit { price: px(text) };
}

fn sell(w: &mut World, text: &str) {
    w.orders[0] = order("b-0", "B", Side::Sell, text, "100");
}

fn day(start: &str, peak: &str, traded: &str) -> Option<Day> {
    Some(Day {
        start_equity: Some(money(start)),
        peak_equity: Some(money(peak)),
        traded: Some(money(traded)),
    })
}

fn cases() -> Vec<Case> {
    use Check as C;
    vec![
        Case(
            C::PriceCollar,
            "price_collar_bps = 100",
            |w| limit(w, "101"),
            |w| limit(w, "101.01"),
            Some(no_quote),
        ),
        Case(
            C::LimitPriceSane,
            "limit_through_bps = 100",
            |w| limit(w, "102.01"),
            |w| limit(w, "102.02"),
            Some(no_quote),
        ),
        Case(
            C::TickSize,
            "",
            |w| limit(w, "100.01"),
            |w| limit(w, "100.001"),
            Some(no_instrument),
        ),
        Case(
            C::LotStep,
            "",
            same,
            |w| w.orders[0].qty = qty("1000.5"),
            Some(no_instrument),
        ),
        Case(
            C::MinQty,
            "",
            |w| w.orders[0].qty = qty("1"),
            |w| w.orders[0].qty = qty("0.999999999"),
            Some(no_instrument),
        ),
        Case(
            C::MaxQty,
            "",
            |w| w.orders[0].qty = qty("100000"),
            |w| w.orders[0].qty = qty("100000.000000001"),
            Some(no_instrument),
        ),
        Case(
            C::MinNotional,
            "",
            |w| {
                w.orders[0].qty = qty("1");
                limit(w, "1");
            },
            |w| {
                w.orders[0].qty = qty("1");
                limit(w, "0.99");
            },
            Some(no_instrument),
        ),
        Case(C::MaxOrderQty, "max_order_qty = 1000", same, one_more, None),
        Case(
            C::MaxOrderNotional,
            "max_order_notional = 100000",
            same,
            one_more,
            Some(no_instrument),
        ),
        Case(
            C::MaxBatchNotional,
            "max_batch_notional = 100000",
            same,
            one_more,
            Some(no_instrument),
        ),
        Case(
            C::MaxOrdersPerRun,
            "max_orders_per_run = 1",
            same,
            |w| w.orders.push(order("b-0", "B", Side::Buy, "1", "100")),
            None,
        ),
        Case(
            C::MaxTurnover,
            "max_turnover = 0.1",
            same,
            one_more,
            Some(no_equity),
        ),
        Case(
            C::MaxDayTurnover,
            "max_day_turnover = 0.2",
            |w| w.day = day("1", "1", "100000"),
            |w| w.day = day("1", "1", "100000.000000001"),
            Some(same),
        ),
        Case(
            C::MaxPositionQty,
            "max_position_qty = 1000",
            same,
            one_more,
            Some(no_positions),
        ),
        Case(
            C::MaxPositionNotional,
            "max_position_notional = 100000",
            same,
            one_more,
            Some(no_quote),
        ),
        Case(
            C::MaxWeight,
            "max_weight = 0.1",
            same,
            one_more,
            Some(no_working),
        ),
        Case(
            C::GrossExposure,
            "max_gross_exposure = 600000",
            same,
            one_more,
            Some(no_held_price),
        ),
        Case(
            C::Leverage,
            "max_leverage = 0.6",
            same,
            one_more,
            Some(no_held_price),
        ),
        Case(
            C::NetExposure,
            "max_net_exposure = 0.6",
            same,
            one_more,
            Some(no_positions),
        ),
        Case(
            C::ShortExposure,
            "max_short_exposure = 0.1\nshort = \"allow\"",
            |w| sell(w, "6000"),
            |w| sell(w, "6001"),
            Some(no_working),
        ),
        Case(
            C::Short,
            "short = \"locate\"",
            |w| {
                sell(w, "6000");
                w.located = vec![(sym("B"), qty("1000"))];
            },
            |w| {
                sell(w, "6001");
                w.located = vec![(sym("B"), qty("1000"))];
            },
            Some(no_positions),
        ),
        Case(
            C::GroupConcentration,
            "[groups.g]\nsymbols = [\"A\", \"B\"]\nlimit = 0.6",
            same,
            one_more,
            Some(no_held_price),
        ),
        Case(
            C::BuyingPower,
            "",
            |w| w.account().buying_power = Some(money("100000")),
            |w| w.account().buying_power = Some(money("99999.999999999")),
            Some(|w| w.account().buying_power = None),
        ),
        Case(
            C::Cash,
            "fee_bps = 10",
            |w| w.account().cash = money("100100"),
            |w| w.account().cash = money("100099.999999999"),
            Some(no_account),
        ),
        Case(
            C::MinCashBuffer,
            "min_cash_buffer = 0.4",
            same,
            one_more,
            Some(no_equity),
        ),
        Case(
            C::AdvParticipation,
            "max_adv_participation = 0.01",
            |w| w.volumes = vec![(sym("A"), qty("100000"))],
            |w| w.volumes = vec![(sym("A"), qty("99999"))],
            Some(same),
        ),
        Case(
            C::SpreadTooWide,
            "max_spread_bps = 200",
            same,
            |w| w.quotes[0].ask_px = Some(px("101.01")),
            Some(no_quote),
        ),
        Case(
            C::QuoteStale,
            "max_quote_age_s = 5",
            |w| w.quotes[0].ts_event = Timestamp(95 * SECOND),
            |w| w.quotes[0].ts_event = Timestamp(95 * SECOND - 1),
            Some(no_quote),
        ),
        Case(
            C::QuoteDelayed,
            "",
            same,
            |w| w.quotes[0].data_type = Some(DataType::Delayed),
            Some(|w| w.quotes[0].data_type = None),
        ),
        Case(
            C::QuoteOneSided,
            "",
            same,
            |w| w.quotes[0].ask_px = None,
            Some(no_quote),
        ),
        Case(
            C::QuoteCrossed,
            "",
            |w| w.quotes[0] = quote("A", "100", "100"),
            |w| w.quotes[0] = quote("A", "100.01", "100"),
            Some(no_quote),
        ),
        Case(
            C::TargetStale,
            "max_target_age_s = 5",
            |w| {
                w.weights = Some(vec![]);
                w.as_of = Timestamp(95 * SECOND);
            },
            |w| {
                w.weights = Some(vec![]);
                w.as_of = Timestamp(95 * SECOND - 1);
            },
            Some(same),
        ),
        Case(
            C::WeightSum,
            "max_weight_sum = 1",
            |w| {
                w.weights = Some(vec![
                    (sym("A"), 1.0 / 3.0),
                    (sym("B"), -1.0 / 3.0),
                    (sym("C"), 1.0 / 3.0),
                ])
            },
            |w| w.weights = Some(vec![(sym("A"), 1.000_01)]),
            Some(same),
        ),
        Case(
            C::WeightNan,
            "targets = \"hard\"",
            |w| w.weights = Some(vec![(sym("A"), 0.0)]),
            |w| w.weights = Some(vec![(sym("A"), f64::NAN)]),
            Some(same),
        ),
        Case(
            C::DuplicateSymbol,
            "targets = \"hard\"",
            |w| w.weights = Some(vec![(sym("A"), 0.1), (sym("B"), 0.1)]),
            |w| w.weights = Some(vec![(sym("A"), 0.1), (sym("A"), 0.1)]),
            Some(same),
        ),
        Case(
            C::Restricted,
            "restricted = [\"B\"]",
            same,
            |w| sell(w, "1"),
            None,
        ),
        Case(
            C::Allowed,
            "allowed = [\"A\"]",
            same,
            |w| sell(w, "1"),
            None,
        ),
        Case(
            C::InstrumentUnknown,
            "",
            same,
            no_instrument,
            Some(no_instrument),
        ),
        Case(
            C::InstrumentHalted,
            "",
            same,
            |w| w.instruments[0].state = InstrumentState::Halted,
            Some(no_instrument),
        ),
        Case(
            C::DuplicateOrder,
            "",
            |w| {
                w.working = Some(vec![working(
                    &order("a-1", "A", Side::Sell, "1", "101"),
                    OrderState::Accepted,
                    "0",
                )])
            },
            |w| {
                w.working = Some(vec![working(
                    &order("a-1", "A", Side::Buy, "1", "90"),
                    OrderState::Unknown,
                    "0",
                )])
            },
            Some(no_working),
        ),
        Case(
            C::SelfCross,
            "",
            |w| {
                w.working = Some(vec![working(
                    &order("a-1", "A", Side::Sell, "1", "100.01"),
                    OrderState::Accepted,
                    "0",
                )])
            },
            |w| {
                w.working = Some(vec![working(
                    &order("a-1", "A", Side::Sell, "1", "100"),
                    OrderState::Accepted,
                    "0",
                )])
            },
            Some(no_working),
        ),
        Case(
            C::OrderRate,
            "max_order_rate = 5",
            |w| w.session.orders_sent = Some(4),
            |w| w.session.orders_sent = Some(5),
            Some(|w| w.session.orders_sent = None),
        ),
        Case(
            C::MessageRate,
            "max_message_rate = 5",
            |w| w.session.messages_sent = Some(4),
            |w| w.session.messages_sent = Some(5),
            Some(|w| w.session.messages_sent = None),
        ),
        Case(
            C::RepeatedExecution,
            "max_runs = 2",
            |w| w.session.runs = Some(1),
            |w| w.session.runs = Some(2),
            Some(|w| w.session.runs = None),
        ),
        Case(
            C::MarketClosed,
            "",
            same,
            |w| w.session.market_open = Some(false),
            Some(|w| w.session.market_open = None),
        ),
        Case(
            C::DailyLoss,
            "max_daily_loss = 0.02",
            |w| {
                w.day = day("1000000", "1", "0");
                w.account().equity = Some(money("980000"));
            },
            |w| {
                w.day = day("1000000", "1", "0");
                w.account().equity = Some(money("979999.999999999"));
            },
            Some(same),
        ),
        Case(
            C::Drawdown,
            "max_drawdown = 0.1",
            |w| {
                w.day = day("1", "1000000", "0");
                w.account().equity = Some(money("900000"));
            },
            |w| {
                w.day = day("1", "1000000", "0");
                w.account().equity = Some(money("899999.999999999"));
            },
            Some(same),
        ),
        Case(
            C::KillSwitch,
            "",
            same,
            |w| w.session.kill_switch = Some(true),
            Some(|w| w.session.kill_switch = None),
        ),
        Case(
            C::Halted,
            "",
            same,
            |w| w.session.halted = Some(true),
            Some(|w| w.session.halted = None),
        ),
        Case(
            C::ReduceOnly,
            "short = \"allow\"",
            |w| {
                w.session.reduce_only = Some(true);
                sell(w, "5000");
            },
            |w| {
                w.session.reduce_only = Some(true);
                sell(w, "5001");
            },
            Some(|w| w.session.reduce_only = None),
        ),
        Case(
            C::AccountMode,
            "",
            same,
            |w| w.account().is_paper = false,
            Some(|w| w.session.account_id = None),
        ),
        Case(
            C::ReconcileDirty,
            "",
            same,
            |w| w.session.unexplained = Some(1),
            Some(|w| w.session.unexplained = None),
        ),
        Case(
            C::PlanEquality,
            "plan_equality = \"hard\"",
            |w| w.plan = Some(w.orders.clone()),
            |w| {
                w.plan = Some(w.orders.clone());
                one_more(w);
            },
            Some(same),
        ),
    ]
}

#[test]
fn just_inside_passes_just_outside_fails_missing_fails() {
    for Case(check, limits, inside, outside, missing) in cases() {
        let with = |change: Change| {
            let mut world = World::new(limits);
            change(&mut world);
            world.worst(check)
        };
        let row = with(inside);
        assert_eq!(row.outcome, Outcome::Pass, "{check} inside: {row:?}");
        let row = with(outside);
        assert_eq!(row.outcome, Outcome::Fail, "{check} outside: {row:?}");
        // Orders of ours cross at one price; every other limit may be reached.
        if let (Some(limit), Some(observed)) = (row.finding.limit, row.finding.observed)
            && check != Check::SelfCross
        {
            assert_ne!(limit, observed, "{check} shows no breach");
        }
        if let Some(missing) = missing {
            let row = with(missing);
            assert_eq!(row.outcome, Outcome::Fail, "{check} missing: {row:?}");
        }
    }
}

#[test]
fn every_check_has_its_boundaries_tested() {
    let tested: BTreeSet<Check> = cases().iter().map(|case| case.0).collect();
    let all: BTreeSet<Check> = Check::ALL.iter().copied().collect();
    assert_eq!(tested, all);
}

#[test]
fn a_soft_limit_warns_and_an_off_one_does_not_run() {
    let mut world =
        World::new("max_weight = { limit = 0.01, severity = \"soft\" }\nmarket_open = \"off\"");
    world.session.market_open = Some(false);
    let report = world.report();
    assert!(report.passed());
    assert_eq!(report.warned(), 1);
    assert!(
        report
            .rows()
            .iter()
            .all(|row| row.check != Check::MarketClosed)
    );
}

#[test]
fn a_world_in_which_all_is_well_passes_as_a_whole() {
    let report = World::new("").report();
    assert!(report.passed(), "{report}");
    assert!(report.rows().len() > 20);
}

#[test]
fn held_names_without_an_order_count() {
    // The prior art priced them at zero, and ten times the equity passed.
    let mut world = World::new("max_leverage = 1.5");
    world.positions = Some(vec![position("B", "100000")]);
    assert!(!world.passes(Check::Leverage));
}

#[test]
fn equity_of_nothing_or_less_fails_every_ratio() {
    for equity in [Some(Money(0)), Some(Money(-1)), None] {
        let mut world = World::new(
            "max_weight = 1\nmax_net_exposure = 9\nmax_short_exposure = 9\nmax_turnover = 9",
        );
        world.account().equity = equity;
        for check in [
            Check::Leverage,
            Check::MaxWeight,
            Check::NetExposure,
            Check::ShortExposure,
            Check::MaxTurnover,
        ] {
            assert!(!world.passes(check), "{check} with {equity:?}");
        }
    }
}

#[test]
fn what_does_not_fit_fails() {
    let mut world = World::new(
        "max_order_notional = 1\nmax_position_qty = 1\nmax_weight = 1\nmax_batch_notional = 1\nmax_gross_exposure = 1",
    );
    world.orders[0].qty = Units(i128::MAX);
    limit(&mut world, "101");
    for check in [
        Check::MaxOrderNotional,
        Check::MaxPositionQty,
        Check::MaxWeight,
        Check::MaxBatchNotional,
        Check::GrossExposure,
        Check::Leverage,
        Check::Cash,
        Check::BuyingPower,
    ] {
        assert!(!world.passes(check), "{check}");
    }
    // Two that each fit, and do not together.
    world.orders[0].qty = Units(i128::MAX / 2 + 1);
    let other = order("a-1", "A", Side::Buy, "1", "101");
    world.orders.push(nanobook::trading::NewOrder {
        qty: world.orders[0].qty,
        ..other
    });
    assert_eq!(
        world.worst(Check::MaxPositionQty).finding.reason,
        Reason::Overflow
    );
}

#[test]
fn an_account_past_a_limit_may_shrink_and_not_grow() {
    let mut world = World::new("max_leverage = 0.4\nmax_weight = 0.4");
    sell(&mut world, "1000");
    assert_eq!(
        world.worst(Check::Leverage).finding.reason,
        Reason::NotWorse
    );
    assert_eq!(
        world.worst(Check::MaxWeight).finding.reason,
        Reason::NotWorse
    );
    // Selling through zero to as much on the other side is no better; more is worse.
    world.limits += "\nshort = \"allow\"";
    sell(&mut world, "10000");
    assert!(world.passes(Check::Leverage));
    sell(&mut world, "10001");
    assert!(!world.passes(Check::Leverage));
}

#[test]
fn an_unknown_order_counts_as_working_and_a_filled_one_does_not() {
    let mut world = World::new("max_position_qty = 1500");
    let other = order("x-0", "A", Side::Buy, "600", "100");
    world.working = Some(vec![working(&other, OrderState::Unknown, "0")]);
    assert!(!world.passes(Check::MaxPositionQty));
    world.working = Some(vec![working(&other, OrderState::PartiallyFilled, "100")]);
    assert!(world.passes(Check::MaxPositionQty));
    world.working = Some(vec![working(&other, OrderState::Filled, "600")]);
    assert!(world.passes(Check::MaxPositionQty));
}

#[test]
fn sells_pay_for_buys_only_when_they_are_sold_first() {
    let mut world = World::new("");
    world.account().cash = money("0");
    world.account().buying_power = Some(money("0"));
    world
        .orders
        .push(order("b-0", "B", Side::Sell, "1000", "100"));
    assert!(!world.passes(Check::Cash));
    world.proceeds = nanobook_risk::Proceeds::SoldFirst;
    assert!(world.passes(Check::Cash));
    assert!(world.passes(Check::BuyingPower));
}

#[test]
fn a_market_order_is_judged_by_the_other_side_of_the_quote() {
    let mut world = World::new("price_collar_bps = 99\nmax_order_notional = 101000");
    world.orders[0].kind = OrderKind::Market;
    assert!(!world.passes(Check::PriceCollar));
    assert!(world.passes(Check::MaxOrderNotional));
    world.quotes[0].ask_px = Some(Price(px("101").0 + 1));
    assert!(!world.passes(Check::MaxOrderNotional));
}

#[test]
fn another_currency_fails_for_want_of_a_rate() {
    let mut world = World::new("max_weight = 1");
    world.instruments[0].currency = sym("EUR");
    for check in [Check::MaxWeight, Check::Leverage, Check::Cash] {
        assert!(!world.passes(check), "{check}");
    }
}

#[test]
fn a_report_reads_as_sentences() {
    let report = World::new("max_weight = 0.05").report();
    assert_eq!(
        report.to_string().lines().nth(1),
        Some("  fail MAX_WEIGHT A: past the limit, 0.1 observed, 0.05 allowed")
    );
}
