//! From a file of weights to positions, and everything that the tables say of it.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type};
use arrow_schema::DataType;
use nanobook::trading::{Account, Fill, Order, OrderState, Position, RiskCheckRow, Units, decimal};
use nanobook_arrow::parquet::Reader;
use nanobook_arrow::trading::TradingTable;
use nanobook_rebalance::core::{Ending, Record};

use crate::support::{Done, Place, QUICK, check, quick_paper, shared};

/// Closes of 100 names on five days, a year apart: 500 prices, each a name of its own.
fn names(folder: &Path) -> Vec<(String, f64)> {
    let reader = Reader::open(&folder.join("sp500_100_ohlcv_5yr.parquet")).unwrap();
    let mut closes: BTreeMap<String, Vec<(i32, f64)>> = BTreeMap::new();
    for batch in reader {
        let batch = batch.unwrap();
        let column = |name| batch.column_by_name(name).unwrap();
        let symbols = arrow_cast::cast(column("symbol"), &DataType::Utf8View).unwrap();
        let symbols = symbols.as_string_view();
        let dates = column("date").as_primitive::<Date32Type>();
        let prices = column("close").as_primitive::<Float64Type>();
        for row in 0..batch.num_rows() {
            let symbol = symbols.value(row).to_owned();
            closes
                .entry(symbol)
                .or_default()
                .push((dates.value(row), prices.value(row)));
        }
    }
    let mut names = Vec::new();
    for (symbol, mut days) in closes {
        days.sort_by_key(|day| day.0);
        for year in 0..5 {
            let (_, close) = days[days.len() * year / 5];
            names.push((format!("{symbol}-{year}"), (close * 100.0).round() / 100.0));
        }
    }
    names
}

fn rows<T: TradingTable>(path: &Path) -> Vec<T> {
    Reader::open(path)
        .unwrap()
        .flat_map(|batch| T::rows(&batch.unwrap()).unwrap())
        .collect()
}

/// Every number of the tables against the broker's own file.
fn reconcile(place: &Place, tables: &Path) {
    let mut broker = place.broker();
    let (contents, state) = place.last().unwrap();
    let plan = state.plan.as_deref().unwrap();
    let orders: Vec<Order> = rows(&tables.join("orders.parquet"));
    let fills: Vec<Fill> = rows(&tables.join("fills.parquet"));
    let positions: Vec<Position> = rows(&tables.join("positions.parquet"));
    let accounts: Vec<Account> = rows(&tables.join("accounts.parquet"));
    let checks: Vec<RiskCheckRow> = rows(&tables.join("risk_checks.parquet"));
    // Positions and cash are the broker's.
    let mut held = broker.positions().unwrap();
    held.sort_by_key(|position| position.symbol);
    let mut table = positions.clone();
    table.sort_by_key(|position| position.symbol);
    assert_eq!(table, held);
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].cash, broker.account().unwrap().cash);
    // Executions are the broker's, and explain cash to the last unit.
    let since = plan.ts;
    let venue = broker.fills_since(&[], since).unwrap();
    let key = |fill: &Fill| fill.trade_id.clone();
    let ours: BTreeMap<String, Fill> = fills.iter().map(|f| (key(f), f.clone())).collect();
    let of_run = |fill: &&Fill| state.tracked(&fill.client_order_id.unwrap()).is_some();
    let theirs = venue.iter().filter(of_run);
    let theirs: BTreeMap<String, Fill> = theirs.map(|f| (key(f), f.clone())).collect();
    assert_eq!(ours, theirs);
    let mut cash = plan.cash.0;
    for fill in &fills {
        let value = fill.qty.signed(fill.side).0 * i128::from(fill.price.0);
        cash -= value.div_euclid(decimal::ONE) + i128::from(value.rem_euclid(decimal::ONE) > 0);
        cash -= fill.fee.unwrap().0;
    }
    assert_eq!(cash, accounts[0].cash.0);
    // Orders are the sums of their executions.
    for order in &orders {
        let of_order = fills
            .iter()
            .filter(|fill| fill.client_order_id == order.client_order_id);
        let filled: i128 = of_order.map(|fill| fill.qty.0).sum();
        assert_eq!(order.filled_qty, Units(filled), "{order:?}");
        let at_venue = broker
            .order(nanobook_broker::OrderKey {
                client_order_id: order.client_order_id.unwrap(),
                symbol: order.symbol,
            })
            .unwrap();
        assert_eq!(at_venue.len(), 1);
        assert_eq!(
            (
                at_venue[0].state,
                at_venue[0].filled_qty,
                at_venue[0].qty,
                at_venue[0].avg_px
            ),
            (order.state, order.filled_qty, order.qty, order.avg_px)
        );
        assert_eq!(order.state, OrderState::Filled);
    }
    // Every leg ends at its target, to the lot.
    for leg in &plan.legs {
        let now = held
            .iter()
            .find(|p| p.symbol == leg.symbol())
            .map_or(Units::ZERO, |p| p.qty);
        assert_eq!(now, leg.target());
    }
    assert!(checks.iter().all(|row| row.outcome == "pass"));
    assert!(checks.len() > 10 * plan.legs.len());
    // The audit is the journal: numbers without gaps, each hash follows the one before.
    let audit = Reader::open(&tables.join("audit.parquet")).unwrap();
    let audit: Vec<_> = audit.map(Result::unwrap).collect();
    let count: usize = audit.iter().map(arrow_array::RecordBatch::num_rows).sum();
    assert_eq!(count, contents.entries.len());
    let mut before: Option<Vec<u8>> = None;
    let mut seq = 0;
    for batch in &audit {
        let column = |name| batch.column_by_name(name).unwrap();
        let payloads = arrow_cast::cast(column("payload"), &DataType::Utf8View).unwrap();
        let payloads = payloads.as_string_view();
        for row in 0..batch.num_rows() {
            let found = column("seq")
                .as_primitive::<arrow_array::types::UInt64Type>()
                .value(row);
            assert_eq!(found, seq);
            let previous = column("prev_hash").as_fixed_size_binary();
            let previous =
                arrow_array::Array::is_valid(previous, row).then(|| previous.value(row).to_vec());
            assert_eq!(previous, before);
            before = Some(column("hash").as_fixed_size_binary().value(row).to_vec());
            let entry =
                serde_json::to_string(&contents.entries[usize::try_from(seq).unwrap()]).unwrap();
            assert_eq!(payloads.value(row), entry);
            seq += 1;
        }
    }
    assert_eq!(before.as_deref(), Some(&contents.hash[..]));
    check(&mut *broker, &state, true);
}

fn done(done: Done) -> serde_json::Value {
    let value = done.expect(0).json();
    assert_eq!(value["ending"], "done", "{value}");
    value
}

#[test]
fn five_hundred_names_go_from_weights_to_positions_and_back_through_the_tables() {
    let Some(folder) = shared() else { return };
    let names = names(&folder);
    assert_eq!(names.len(), 500);
    let place = Place::in_memory(&quick_paper(
        "cash = 10_000_000\n[costs]\ncommission_per_share = 0.005\ncommission_min = 1.0\n[plan]\ncash_buffer = 0.01\ndrift_band = 0.0001",
    ));
    let mut prices = String::from("symbol,price\n");
    for (name, price) in &names {
        prices.push_str(&format!("{name},{price}\n"));
    }
    place.write("prices.csv", &prices);
    let equal: Vec<(&str, f64)> = names
        .iter()
        .map(|(name, _)| (name.as_str(), 1.0 / 500.0))
        .collect();
    place.weights(&equal);

    let planned = place
        .run(&["--json", "plan", "--out", "plan.parquet"])
        .expect(0)
        .json();
    assert_eq!(planned["orders"].as_array().unwrap().len(), 500);
    assert_eq!(planned["risk"]["failed"], 0);
    let table = Reader::open(&place.path("plan.parquet")).unwrap();
    assert_eq!(table.num_rows(), 500);

    let first = done(place.run(&["--json", "--quiet", "run", "--yes"]));
    assert_eq!(
        (
            first["orders"].as_u64(),
            first["left"].as_array().unwrap().len()
        ),
        (Some(500), 0)
    );
    place.run(&["audit", "export", "--out", "tables"]).expect(0);
    reconcile(&place, &place.path("tables"));
    let sold_cash = place.broker().account().unwrap().cash;
    assert!(sold_cash.0 > 0);

    let again = done(place.run(&["--json", "--quiet", "run", "--yes"]));
    assert_eq!(again["already"], true);
    assert_eq!(place.journals().len(), 1);

    // A hundred names go, a hundred come to three times their weight, the others stay.
    let changed: Vec<(&str, f64)> = names
        .iter()
        .enumerate()
        .map(|(at, (name, _))| {
            let parts = if at < 100 {
                0.0
            } else if at < 200 {
                3.0
            } else {
                2.0 / 3.0
            };
            (name.as_str(), parts / 500.0)
        })
        .collect();
    place.weights(&changed);
    let second = done(place.run(&["--json", "--quiet", "run", "--yes"]));
    assert!(second["orders"].as_u64().unwrap() > 400, "{second}");
    place.run(&["audit", "export", "--out", "tables"]).expect(0);
    reconcile(&place, &place.path("tables"));
    // Sells were over before the first buy was sent.
    let (contents, state) = place.last().unwrap();
    assert_eq!(state.outcome.as_ref().unwrap().ending, Ending::Done);
    let plan = state.plan.as_deref().unwrap();
    let mut buying = false;
    for entry in &contents.entries {
        if let Record::Intent { order, .. } = &entry.record {
            let buys = order.side == nanobook::Side::Buy;
            assert!(buys || !buying, "a sell after a buy");
            if buys && !buying {
                let ended = plan.legs.iter().zip(&state.legs);
                assert!(
                    ended
                        .filter(|(leg, _)| leg.side == nanobook::Side::Sell)
                        .all(|(_, leg)| leg.end.is_some())
                );
            }
            buying |= buys;
        }
    }
    let verified = place.run(&["--json", "audit", "verify"]).expect(0).json();
    assert_eq!(verified["runs"].as_array().unwrap().len(), 2);
    place.run(&["reconcile"]).expect(0);
}

#[test]
fn it_works_before_anything_is_set_up() {
    let place = Place::new(QUICK);
    let out = place.run(&["plan"]).expect(0).out;
    assert!(out.contains("SPY") && out.contains("0 failed"), "{out}");
    let dry = place.run(&["--json", "run", "--dry-run"]).expect(0).json();
    assert_eq!(dry["orders"].as_array().unwrap().len(), 12);
    assert!(place.journals().is_empty(), "nothing was sent");
    let done = place.run(&["run", "--yes"]).expect(0);
    assert!(done.out.contains("12 fills"), "{done:?}");
    assert!(
        done.err.lines().all(|line| line.contains(" info ")),
        "logs are on standard error"
    );
    assert!(
        place
            .run(&["run", "--yes"])
            .expect(0)
            .out
            .contains("nothing to do")
    );
    assert!(
        place
            .run(&["status"])
            .expect(0)
            .out
            .contains("12 of 12 legs ended")
    );
    assert!(
        place
            .run(&["positions"])
            .expect(0)
            .out
            .contains("equity 999,")
    );
    let (_, state) = place.last().unwrap();
    check(&mut *place.broker(), &state, true);
}

#[test]
fn a_sample_folder_can_be_run_as_it_is() {
    let place = Place::new("");
    place.run(&["sample", "portfolio"]).expect(0);
    let config = "portfolio/rebalancer.toml";
    let done = place
        .run(&["--config", config, "--json", "run", "--yes"])
        .expect(0);
    assert_eq!(done.json()["ending"], "done");
    assert!(
        place.path("portfolio/rebalancer/paper-PAPER/runs").is_dir(),
        "beside its configuration"
    );
    let again = place.run(&["sample", "portfolio"]).expect(2);
    assert!(again.err.contains("stays as it is"), "{again:?}");
}

#[test]
fn several_accounts_share_a_file_and_one_failure_does_not_stop_the_others() {
    let place = Place::new(&format!(
        "targets.file = \"weights.csv\"\n[[accounts]]\nid = \"A\"\n[[accounts]]\nid = \"B\"\n[[accounts]]\nid = \"C\"\n{QUICK}"
    ));
    let day = crate::support::today();
    place.write(
        "weights.csv",
        &format!("as_of,account_id,symbol,weight\n{day},A,SPY,0.5\n{day},B,TLT,0.25\n"),
    );
    let all = place.run(&["run", "--yes"]).expect(2);
    assert!(
        all.err.contains("no targets for the account \"C\""),
        "{all:?}"
    );
    for (id, symbol) in [("A", "SPY"), ("B", "TLT")] {
        let found = place
            .run(&["--json", "--account", id, "positions"])
            .expect(0)
            .json();
        assert_eq!(found["positions"][0]["symbol"], symbol);
        assert_eq!(found["account"], id);
    }
}

#[test]
fn orders_in_parts_slices_and_at_new_prices_reach_their_target() {
    let place = Place::new(&format!(
        "targets.file = \"weights.csv\"\n{}\nslices = 3\nslice_every_s = 0.2\n[paper]\nprices = \"prices.csv\"\nquoted_qty = 150",
        QUICK.trim_end()
    ));
    place.write("prices.csv", "symbol,price\nA,100\nB,50\n");
    place.weights(&[("A", 0.08), ("B", 0.01)]);
    let value = done(place.run(&["--json", "run", "--yes"]));
    assert!(
        value["fills"].as_u64() > value["orders"].as_u64(),
        "{value}"
    );
    let (_, state) = place.last().unwrap();
    assert!(state.orders_of(0).count() >= 3, "a slice is an order");
    check(&mut *place.broker(), &state, true);
}

#[test]
fn an_order_that_does_not_fill_is_priced_anew_and_given_up_at_last() {
    let execution = QUICK.replace("chase_steps = 30", "chase_steps = 2");
    let place = Place::new(&format!(
        "targets.file = \"weights.csv\"\n{execution}\n[paper]\nprices = \"prices.csv\"\nquoted_qty = 10"
    ));
    place.write("prices.csv", "symbol,price\nA,100\n");
    place.weights(&[("A", 0.5)]);
    let left = place.run(&["run", "--yes"]).expect(5);
    assert!(
        left.out.contains("given up after the last new price"),
        "{left:?}"
    );
    let (contents, state) = place.last().unwrap();
    let outcome = state.outcome.as_ref().unwrap();
    assert_eq!(outcome.ending, Ending::Residual);
    // The first price and two new ones, none beyond the collar, and what is left is exact.
    assert_eq!(state.orders.len(), 3);
    let leg = &state.plan.as_deref().unwrap().legs[0];
    let mut limits = Vec::new();
    for entry in &contents.entries {
        if let Record::Intent { order, .. } = &entry.record {
            limits.push(order.kind.price().unwrap());
        }
    }
    assert!(limits.is_sorted() && limits[0] < limits[2] && limits[2] <= leg.worst_px);
    let residual = outcome.residuals[0].qty;
    assert_eq!(leg.qty.0 - state.filled(0).0, residual.0);
    check(&mut *place.broker(), &state, true);
    // What is left is planned anew by the next start.
    assert!(place.run(&["plan"]).expect(0).out.contains("buy"));
}
