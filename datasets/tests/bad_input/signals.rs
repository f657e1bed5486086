//! Ctrl-C, and what a killed run leaves.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::*;

/// A replay of standard input, which the test holds open.
fn start(out: &Path, more: &[&str]) -> (Child, ChildStdin) {
    let out = out.display().to_string();
    let args = [
        "replay", "-", "--date", DATE, "--out", &out, "--tables", "all",
    ];
    let args = args.iter().chain(more);
    let mut child = command(args).stdin(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &id])
            .status()
            .unwrap()
            .success()
    );
}

/// Long enough for the slowest machine, and the end of a test that would otherwise never end.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until something holds.
#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for the end of a run, which is killed if it does not come.
#[track_caller]
fn wait(mut child: Child) -> Ran {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it did not end: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap().into()
}

/// The hidden folders of a dataset.
fn hidden(out: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(out) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).collect()
}

/// Writes a feed that never ends until nobody reads it.
fn pour(mut stdin: ChildStdin) -> JoinHandle<io::Error> {
    let day = day(1, 20_000);
    thread::spawn(move || {
        loop {
            if let Err(error) = stdin.write_all(&day) {
                return error;
            }
        }
    })
}

#[test]
fn ctrl_c_in_a_feed_leaves_nothing() {
    let temporary = folder();
    for (signal, threads) in [("-INT", "1"), ("-INT", "2"), ("-TERM", "2")] {
        let out = temporary.path().join("data");
        let (child, stdin) = start(&out, &["--threads", threads]);
        let writer = pour(stdin);
        wait_until("it writes", || !tree(&out).is_empty());
        send(signal, &child);
        wait(child).failed(130, &["interrupted"]);
        assert_eq!(writer.join().unwrap().kind(), io::ErrorKind::BrokenPipe);
        assert_nothing_left(&out);
    }
}

#[test]
fn ctrl_c_leaves_the_day_that_was_there() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let file = write(temporary.path(), NAME, &day(2, 500));
    replay(&file, &out, &["--tables", "all"]).succeeded();
    let before = tree(&out);
    let (child, stdin) = start(&out, &[]);
    let writer = pour(stdin);
    wait_until("it writes", || !hidden(&out).is_empty());
    send("-INT", &child);
    wait(child).failed(130, &["interrupted"]);
    writer.join().unwrap();
    assert_eq!(tree(&out), before);
}

#[test]
fn ctrl_c_ends_a_replay_whose_feed_is_silent() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let (child, mut stdin) = start(&out, &[]);
    stdin.write_all(&day(1, 1_000)).unwrap();
    wait_until("it has begun", || !hidden(&out).is_empty());
    send("-INT", &child);
    wait(child).failed(130, &["interrupted"]);
    assert_nothing_left(&out);
    drop(stdin);
}

#[test]
fn ctrl_c_ends_a_synthetic_day() {
    let temporary = folder();
    let name = temporary.path().join(NAME).display().to_string();
    let child = command(["synth", "--messages", "4000000000", &name])
        .spawn()
        .unwrap();
    wait_until("it writes", || !tree(temporary.path()).is_empty());
    send("-INT", &child);
    wait(child).failed(130, &["interrupted"]);
    assert!(tree(temporary.path()).is_empty());
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let (mut child, stdin) = start(&out, &[]);
    let writer = pour(stdin);
    wait_until("it writes", || !tree(&out).is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    writer.join().unwrap();
    // Everything that it left is in one hidden folder, which readers of a dataset pass over.
    let left = hidden(&out);
    assert_eq!(left.len(), 1);
    assert!(tree(&out).keys().all(|path| path.starts_with(&left[0])));
    run(["ls", &out.display().to_string()]).failed(1, &["no dataset"]);

    let file = write(temporary.path(), NAME, &day(2, 500));
    replay(&file, &out, &[]).succeeded();
    assert_eq!(hidden(&out), [""; 0]);
    let listed = run(["ls", &out.display().to_string()]).succeeded();
    assert!(listed.stdout.contains(DATE));
}

#[test]
fn a_run_leaves_the_folder_of_another_that_is_under_way() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let (child, mut stdin) = start(&out, &[]);
    let feed = day(1, 1_000);
    let (first, rest) = feed.split_at(5_000);
    stdin.write_all(first).unwrap();
    wait_until("it has begun", || !hidden(&out).is_empty());
    let file = write(temporary.path(), "01312020.NASDAQ_ITCH50", &day(2, 500));
    replay(&file, &out, &[]).succeeded();
    assert_eq!(hidden(&out).len(), 1);
    stdin.write_all(rest).unwrap();
    drop(stdin);
    wait(child).succeeded();
    assert_eq!(hidden(&out), [""; 0]);
    let listed = run(["ls", &out.display().to_string()]).succeeded().stdout;
    assert!(
        listed.contains("2020-01-30") && listed.contains("2020-01-31"),
        "{listed}"
    );
}
