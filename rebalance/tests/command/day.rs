//! Limits of the day, from what the journals say of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nanobook::Timestamp;
use nanobook::trading::decimal;
use nanobook_rebalance::core::{Entry, Record};
use nanobook_rebalance::journal::{self, Journal};

use crate::support::{Place, quick_paper, wait_for};

/// An account with these limits, in a time zone in which it is about noon: no test crosses midnight.
fn place(limits: &str, more: &str) -> Place {
    let hour: i32 = jiff::Timestamp::now()
        .strftime("%H")
        .to_string()
        .parse()
        .unwrap();
    // The names of these zones count to the west.
    let zone = format!("Etc/GMT{:+}", (hour - 12).clamp(-14, 12));
    let place = Place::new(&format!(
        "hours.zone = \"{zone}\"\n{}\n[risk]\n{limits}\n{more}",
        quick_paper("")
    ));
    place.write("prices.csv", "symbol,price\nA,100\nB,50\n");
    place
}

/// Starts for these weights: whether it ran, or what refused it.
#[track_caller]
fn start(place: &Place, weight: f64, refused: Option<&str>) {
    place.weights(&[("A", weight)]);
    let done = place.run(&["run", "--yes", "--again"]);
    match refused {
        None => {
            done.expect(0);
        }
        Some(check) => {
            let before = place.journals().len();
            let done = done.expect(3);
            assert!(done.out.contains(check), "{done:?}");
            assert_eq!(place.journals().len(), before);
        }
    }
}

/// Writes a journal anew, changed.
fn rewrite(path: &Path, change: impl Fn(&mut Entry)) {
    let mut entries = journal::verify(&fs::read(path).unwrap()).unwrap().entries;
    entries.iter_mut().for_each(change);
    fs::remove_file(path).unwrap();
    let (mut journal, _) = Journal::open_file(path).unwrap();
    journal.append(&entries).unwrap();
}

/// Dates a journal some hours later.
fn shift(path: &Path, hours: i64) {
    let later = |ts: &mut Timestamp| ts.0 += hours * 3_600_000_000_000;
    rewrite(path, |entry| {
        later(&mut entry.ts);
        if let Record::Filled { fill } = &mut entry.record {
            later(&mut fill.ts_event);
        }
    });
}

#[test]
fn what_was_traded_on_the_day_counts_and_what_was_before_does_not() {
    let place = place("max_day_turnover = 0.55", "");
    start(&place, 0.3, None);
    start(&place, 0.1, None);
    start(&place, 0.3, Some("MAX_DAY_TURNOVER"));
    start(&place, 0.12, None);
    for path in place.journals() {
        shift(&path, -24);
    }
    start(&place, 0.5, None);
    start(&place, 0.1, Some("MAX_DAY_TURNOVER"));
}

#[test]
fn runs_of_the_day_are_counted() {
    let place = place("max_runs = 2", "");
    start(&place, 0.3, None);
    start(&place, 0.2, None);
    start(&place, 0.1, Some("REPEATED_EXECUTION"));
    shift(&place.journals()[0], -24);
    start(&place, 0.1, None);
    start(&place, 0.2, Some("REPEATED_EXECUTION"));
}

#[test]
fn a_loss_since_the_days_first_equity_stops() {
    let place = place("max_daily_loss = 0.05", "");
    // Nothing was seen before: the day begins with this look.
    start(&place, 0.8, None);
    place.write("prices.csv", "symbol,price\nA,96\nB,50\n");
    start(&place, 0.7, None);
    place.write("prices.csv", "symbol,price\nA,90\nB,50\n");
    start(&place, 0.6, Some("DAILY_LOSS"));
    // The last equity of yesterday is the first of today.
    for path in place.journals() {
        shift(&path, -24);
    }
    place.write("prices.csv", "symbol,price\nA,93\nB,50\n");
    start(&place, 0.6, None);
    place.write("prices.csv", "symbol,price\nA,85\nB,50\n");
    start(&place, 0.5, Some("DAILY_LOSS"));
    // With a rise it goes on.
    place.write("prices.csv", "symbol,price\nA,99\nB,50\n");
    start(&place, 0.5, None);
}

#[test]
fn a_fall_from_the_highest_equity_stops_until_days_before_do_not_count() {
    let place = place("max_drawdown = 0.1", "");
    start(&place, 0.8, None);
    place.write("prices.csv", "symbol,price\nA,120\nB,50\n");
    start(&place, 0.9, None);
    for path in place.journals() {
        shift(&path, -24 * 40);
    }
    place.write("prices.csv", "symbol,price\nA,115\nB,50\n");
    start(&place, 0.8, None);
    place.write("prices.csv", "symbol,price\nA,104\nB,50\n");
    start(&place, 0.7, Some("DRAWDOWN"));
    let config = fs::read_to_string(place.path("rebalancer.toml")).unwrap();
    let since = format!("{config}\n[day]\nsince = \"{}\"\n", crate::support::today());
    place.write("rebalancer.toml", &since);
    // Today's equity still counts, and it was at 115.
    start(&place, 0.7, None);
}

#[test]
fn what_cannot_be_known_fails_and_says_what_to_do() {
    let place = place(
        "max_day_turnover = 5.0\nmax_daily_loss = 0.5\nmax_runs = 50",
        "",
    );
    start(&place, 0.3, None);
    start(&place, 0.2, None);
    let first = place.journals()[0].clone();
    let whole = fs::read(&first).unwrap();
    let refused = |remark: &str| {
        place.weights(&[("A", 0.1)]);
        let plan = place.run(&["plan"]).expect(3);
        assert!(plan.out.contains(remark), "{plan:?}");
        let json = place.run(&["--json", "run", "--yes"]).expect(3);
        assert!(
            json.out.contains("the state of the day is not known"),
            "{json:?}"
        );
        assert_eq!(place.journals().len(), 2);
    };
    // A journal of a version that did not say equity.
    rewrite(&first, |entry| {
        if let Record::Approved { plan, .. } = &mut entry.record {
            plan.equity = None;
        }
    });
    refused("does not say equity; set day.since to a day after it");
    // A damaged one.
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&first, &damaged).unwrap();
    refused("put the journal back as it was");
    // One of tomorrow.
    fs::write(&first, &whole).unwrap();
    shift(&first, 30);
    refused("set the clock right");
    fs::write(&first, &whole).unwrap();
    start(&place, 0.1, None);
}

#[test]
fn what_was_traded_before_a_crash_and_after_it_counts() {
    let slow = Place::new(&quick_paper("quoted_qty = 60\n"));
    slow.write("prices.csv", "symbol,price\nA,100\n");
    slow.weights(&[("A", 0.05)]);
    let mut child = slow.spawn(&["run", "--yes"]);
    wait_for("an execution", 20, || {
        slow.last()
            .is_some_and(|(_, state)| state.orders.iter().any(|o| !o.fills.is_empty()))
    });
    std::thread::sleep(Duration::from_millis(100));
    child.kill().unwrap();
    child.wait().unwrap();
    let limits = |most: f64| {
        format!(
            "{}\n[risk]\nmax_day_turnover = {most}",
            quick_paper("quoted_qty = 60\n")
        )
    };
    // Half a run is no state of a day.
    slow.write("rebalancer.toml", &limits(0.5));
    let plan = slow.run(&["plan"]).expect(3);
    assert!(plan.out.contains("rebalancer recover"), "{plan:?}");
    slow.run(&["recover"]).expect(0);
    let (_, state) = slow.last().unwrap();
    assert!(state.resumed > 0);
    let fills = state.orders.iter().flat_map(|order| order.fills.values());
    let traded: i128 = fills
        .map(|f| f.qty.exact_notional(f.price).unwrap() / decimal::ONE)
        .sum();
    let part = traded as f64 / 1e9 / 1e6;
    assert!((part - 0.05).abs() < 0.001, "{part}");
    // 0.01 more is asked for.
    slow.weights(&[("A", 0.06)]);
    slow.write("rebalancer.toml", &limits(0.055));
    slow.run(&["run", "--yes"]).expect(3);
    slow.write("rebalancer.toml", &limits(0.065));
    slow.run(&["run", "--yes"]).expect(0);
}
