//! Files that can't be written, journals that are cut or changed, signals, a second process, a clock that goes back: nothing
//! is lost, nothing is doubled, and the message and the exit code say what happened.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use nanobook_rebalance::core::{Ending, State};
use nanobook_rebalance::journal::{self, Journal, MemoryDisk};

use crate::support::{Done, Place, QUICK, REBALANCER, check, quick_paper, wait_for};

/// An account whose orders fill in parts, so that a run takes about two seconds and orders rest.
fn slow() -> Place {
    let place = Place::new(&quick_paper("quoted_qty = 60\n"));
    place.write("prices.csv", "symbol,price\nA,100\nB,50\nC,20\nD,10\n");
    place.weights(&[("A", 0.02), ("B", 0.02), ("C", 0.01)]);
    place
}

/// A finished run's journal.
fn finished() -> (Place, Vec<u8>) {
    let place = slow();
    place.run(&["run", "--yes"]).expect(0);
    let bytes = fs::read(place.journals().pop().unwrap()).unwrap();
    (place, bytes)
}

#[test]
fn a_real_journal_cut_anywhere_opens_and_changed_anywhere_does_not_verify() {
    let place = slow();
    place.weights(&[("A", 0.01)]);
    place.run(&["run", "--yes"]).expect(0);
    let bytes = fs::read(place.journals().pop().unwrap()).unwrap();
    for len in 0..bytes.len() {
        let opened = Journal::open(MemoryDisk::of(bytes[..len].to_vec()));
        let (_, contents) = opened.unwrap_or_else(|e| panic!("cut to {len} bytes: {e}"));
        State::replay(&contents.entries).unwrap();
    }
    let mut changed = bytes.clone();
    for at in 0..bytes.len() {
        changed[at] ^= 1 << (at % 8);
        assert!(
            journal::verify(&changed).is_err(),
            "byte {at} may be changed"
        );
        changed[at] = bytes[at];
    }
    // The command says so, and names the place.
    let path = place.journals().pop().unwrap();
    let middle = bytes.len() / 2;
    changed[middle] ^= 0x20;
    fs::write(&path, &changed).unwrap();
    let found = place.run(&["audit", "verify"]).expect(10);
    assert!(found.out.contains("damaged at byte"), "{found:?}");
    // A damaged journal is not guessed over: nothing is sent before somebody looks.
    let refused = place.run(&["run", "--yes", "--again"]).expect(1);
    assert!(refused.err.contains("damaged"), "{refused:?}");
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let torn = place.run(&["audit", "verify"]).expect(10);
    assert!(torn.out.contains("no whole record"), "{torn:?}");
}

#[test]
fn a_run_whose_journal_lost_its_end_goes_on_and_doubles_nothing() {
    let (place, bytes) = finished();
    let path = place.journals().pop().unwrap();
    let mut reviews = 0;
    let held = quantities(&place);
    // The venue has everything; the journal remembers less and less. That is more than a crash can do: what was sent is
    // always on the disk. An order that the journal does not know is then left to a human, and nothing is sent.
    for part in [99, 95, 90, 75, 60, 50, 40, 30, 20] {
        let len = bytes.len() * part / 100;
        fs::write(&path, &bytes[..len]).unwrap();
        if place.last().unwrap().1.plan.is_none() {
            break;
        }
        let recovered = place.run(&["recover"]);
        let (_, state) = place.last().unwrap();
        if recovered.code == 0 {
            assert_eq!(state.outcome.as_ref().unwrap().ending, Ending::Done);
            check(&mut *place.broker(), &state, true);
        } else {
            assert_eq!(recovered.code, 6, "{recovered:?}");
            assert!(recovered.out.contains("look at it"), "{recovered:?}");
            reviews += 1;
        }
        place.run(&["audit", "verify"]).expect(0);
        assert_eq!(quantities(&place), held, "cut to {part} %");
    }
    assert!(
        (1..9).contains(&reviews),
        "{reviews} cuts were left to a human"
    );
    fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    place.run(&["recover"]).expect(0);
    assert!(
        place
            .run(&["recover"])
            .expect(0)
            .out
            .contains("nothing to recover")
    );
}

/// What is held, by symbol.
fn quantities(place: &Place) -> Vec<(nanobook::Symbol, nanobook::trading::Units)> {
    let positions = place.broker().positions().unwrap();
    positions.iter().map(|p| (p.symbol, p.qty)).collect()
}

/// Runs the command with files of at most so many blocks.
fn with_small_files(place: &Place, blocks: u32, arguments: &str) -> Done {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {REBALANCER} {arguments}");
    let output = Command::new("sh")
        .current_dir(place.dir.path())
        .args(["-c", &script])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Done::of(&output)
}

#[test]
fn a_full_disk_ends_the_run_with_a_message_and_it_goes_on_when_there_is_room() {
    let mut ended = 0;
    for blocks in [0, 1, 4, 8, 12, 16, 24, 32, 48] {
        let place = slow();
        let full = with_small_files(&place, blocks, "run --yes");
        if full.code == 0 {
            continue;
        }
        ended += 1;
        assert!([1, 5, 6].contains(&full.code), "{full:?}");
        let says = ["File too large", "can't be written", "left:"];
        assert!(
            says.iter()
                .any(|word| full.err.contains(word) || full.out.contains(word)),
            "{full:?}"
        );
        if let Some((_, state)) = place.last() {
            check(&mut *place.broker(), &state, false);
        }
        // With room, what was begun is ended; what was not begun begins.
        let recovered = place.run(&["recover"]);
        assert!([0, 5].contains(&recovered.code), "{recovered:?}");
        if let Some((_, state)) = place.last()
            && state.plan.is_some()
        {
            check(&mut *place.broker(), &state, true);
        }
        place.run(&["run", "--yes"]).expect(0);
        let (_, state) = place.last().unwrap();
        check(&mut *place.broker(), &state, true);
    }
    assert!(ended >= 4, "{ended} runs met a full disk");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_nothing_is_sent() {
    let place = Place::new(&format!("folder = \"rebalancer.toml/state\"\n{QUICK}"));
    let refused = place.run(&["run", "--yes"]).expect(1);
    assert!(
        refused.err.contains("rebalancer.toml/state") && refused.err.contains("make folder"),
        "{refused:?}"
    );
    let refused = place.run(&["plan", "--out", "none/plan.parquet"]).expect(1);
    assert!(refused.err.contains("state"), "{refused:?}");
}

#[test]
fn a_second_process_is_told_to_wait() {
    let place = slow();
    let mut first = place.spawn(&["run", "--yes"]);
    wait_for("a journal", 20, || !place.journals().is_empty());
    for command in [
        &["run", "--yes"][..],
        &["recover"],
        &["plan"],
        &["positions"],
    ] {
        let refused = place.run(command).expect(8);
        assert!(refused.err.contains("another process"), "{refused:?}");
    }
    let status = place.run(&["status"]).expect(0);
    assert!(status.out.contains("at work"), "{status:?}");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    let (_, state) = place.last().unwrap();
    check(&mut *place.broker(), &state, true);
}

fn signal(child: &std::process::Child, name: &str) {
    let id = child.id().to_string();
    Command::new("kill").args([name, &id]).status().unwrap();
}

#[test]
fn a_signal_at_any_moment_leaves_nothing_open_and_the_next_start_ends_it() {
    let mut stopped = 0;
    let threads: Vec<_> = (0..24_u64)
        .map(|at| {
            std::thread::spawn(move || {
                let place = slow();
                let child = place.spawn(&["run", "--yes"]);
                std::thread::sleep(Duration::from_millis(20 + at * 70));
                signal(&child, if at % 2 == 0 { "-INT" } else { "-TERM" });
                let done = Done::of(&child.wait_with_output().unwrap());
                // A signal that comes before anybody listens ends the process, which has done nothing then.
                let unheard = done.code == -1 && place.journals().is_empty();
                assert!(unheard || [0, 130].contains(&done.code), "{done:?}");
                if done.code == 130 && !place.journals().is_empty() {
                    assert!(
                        done.err.contains("stopping") || done.err.contains("interrupted"),
                        "{done:?}"
                    );
                }
                let ran = place.last();
                if let Some((_, state)) = &ran {
                    assert!(
                        state.outcome.is_some(),
                        "it ended in an orderly way: {done:?}"
                    );
                    check(&mut *place.broker(), state, true);
                }
                place.run(&["run", "--yes"]).expect(0);
                let (_, state) = place.last().unwrap();
                check(&mut *place.broker(), &state, true);
                u32::from(done.code == 130 && ran.is_some())
            })
        })
        .collect();
    for thread in threads {
        stopped += thread.join().unwrap();
    }
    assert!(
        stopped >= 8,
        "{stopped} runs were stopped while they were at work"
    );
}

#[test]
fn the_kill_switch_stops_a_run_and_keeps_others_from_beginning() {
    let place = slow();
    let child = place.spawn(&["run", "--yes"]);
    wait_for("an order", 20, || {
        place.last().is_some_and(|(_, s)| !s.orders.is_empty())
    });
    let killed = place.run(&["kill"]).expect(0);
    assert!(killed.out.contains("kill switch is on"), "{killed:?}");
    let done = Done::of(&child.wait_with_output().unwrap()).expect(7);
    assert!(done.out.contains("killed"), "{done:?}");
    let (_, state) = place.last().unwrap();
    assert!(state.killed);
    check(&mut *place.broker(), &state, true);
    let refused = place.run(&["run", "--yes"]).expect(7);
    assert!(refused.err.contains("kill --reset"), "{refused:?}");
    place.run(&["kill", "--reset"]).expect(0);
    place.run(&["run", "--yes"]).expect(0);
    let (_, state) = place.last().unwrap();
    check(&mut *place.broker(), &state, true);
}

#[test]
fn the_kill_switch_ends_what_a_dead_process_left() {
    let place = slow();
    let mut child = place.spawn(&["run", "--yes"]);
    wait_for("an order", 20, || {
        place.last().is_some_and(|(_, s)| !s.orders.is_empty())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let refused = place.run(&["run", "--yes"]).expect(6);
    assert!(refused.err.contains("recover"), "{refused:?}");
    place.run(&["kill"]).expect(0);
    let (_, state) = place.last().unwrap();
    assert!(state.outcome.is_some());
    check(&mut *place.broker(), &state, true);
}

#[test]
fn a_clock_that_was_ahead_changes_nothing() {
    let (place, bytes) = finished();
    let path = place.journals().pop().unwrap();
    // A run of a time to come: the clock was set back since.
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let ahead = name.replacen("-20", "-29", 1);
    fs::rename(&path, path.with_file_name(&ahead)).unwrap();
    assert!(
        place
            .run(&["run", "--yes"])
            .expect(0)
            .out
            .contains("nothing to do")
    );
    place.weights(&[("D", 0.01)]);
    place.run(&["run", "--yes"]).expect(0);
    let names = place.journals();
    assert_eq!(names.len(), 2);
    assert!(
        names[0].ends_with(&ahead),
        "the number decides, not the time: {names:?}"
    );
    assert!(
        place
            .run(&["run", "--yes"])
            .expect(0)
            .out
            .contains("nothing to do")
    );
    assert_eq!(fs::read(&names[0]).unwrap(), bytes);
}

#[test]
fn bad_targets_bad_settings_and_refusals_have_codes_of_their_own() {
    let place = slow();
    let code = |arguments: &[&str], code: i32, word: &str| {
        let done = place.run(arguments).expect(code);
        assert!(done.err.contains(word), "{word:?}: {done:?}");
        assert!(place.journals().is_empty(), "nothing was begun");
    };
    place.weights(&[("A", f64::NAN)]);
    code(
        &["run", "--yes"],
        2,
        "weights.csv, line 2, A: the weight is NaN",
    );
    place.weights(&[("NOPE", 0.1)]);
    code(
        &["run", "--yes"],
        2,
        "line 2, NOPE: the venue does not know this symbol",
    );
    place.weights(&[("A", 0.7), ("B", 0.7)]);
    code(&["run", "--yes"], 2, "add up to 1.4");
    place.write("weights.csv", "as_of,symbol,weight\n2020-01-01,A,0.5\n");
    code(&["run", "--yes"], 2, "targets.max_age_h");
    code(&["run", "--targets", "none.parquet"], 2, "none.parquet");
    code(&["fly"], 2, "fly");
    place.weights(&[("A", 0.02)]);
    code(&["--broker", "ibkr", "run"], 2, "account.id");
    code(&["run"], 4, "--yes");
    place.write("rebalancer.toml", &quick_paper("[risk]\nmax_weight = 0.01"));
    code(&["run", "--yes"], 3, "the risk checks refused");
    assert!(place.run(&["plan"]).expect(3).out.contains("MAX_WEIGHT A"));
    place.write("rebalancer.toml", &quick_paper("[hours]\ngate = \"custom\"\nopen = \"00:00\"\nclose = \"00:01\"\nzone = \"Pacific/Kiritimati\""));
    code(&["run", "--yes"], 3, "the risk checks refused");
    assert!(place.run(&["plan"]).out.contains("the market is closed"));
    place.write(
        "rebalancer.toml",
        &quick_paper("[account]\nmode = \"live\""),
    );
    code(&["run", "--yes"], 2, "a paper account can't be live");
    place.write("rebalancer.toml", "[plan]\ndrift_bnad = 0.1");
    code(&["run", "--yes"], 2, "drift_bnad");
}
