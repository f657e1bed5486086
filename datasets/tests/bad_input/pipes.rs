//! Standard output that nobody reads to its end.

use std::path::Path;
use std::process::Stdio;

use crate::support::*;

/// Runs the command with a standard output that is closed before it writes.
fn run_unheard(args: &[&str]) -> Ran {
    let mut child = command(args).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    drop(child.stdin.take());
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_closed_pipe_is_no_error() {
    let temporary = folder();
    let file = write(temporary.path(), NAME, &day(1, 50_000))
        .display()
        .to_string();
    let out = temporary.path().join("data").display().to_string();
    for args in [
        &["verify", &file][..],
        &["inspect", &file],
        &["replay", &file, "--out", &out],
        &["ls", &out],
        &["synth", "--messages", "200000", "-"],
    ] {
        run_unheard(args).succeeded();
    }
    assert!(
        Path::new(&out)
            .join("bbo")
            .join(format!("date={DATE}"))
            .exists()
    );
}

/// Nobody reads the reports, but the days are wanted all the same.
#[test]
fn a_closed_pipe_does_not_stop_the_days_that_follow() {
    let temporary = folder();
    let names = ["01292020.NASDAQ_ITCH50", NAME, "01312020.NASDAQ_ITCH50"];
    let files = names.map(|name| {
        write(temporary.path(), name, &day(1, 500))
            .display()
            .to_string()
    });
    let out = temporary.path().join("data").display().to_string();
    run_unheard(&["replay", &files[0], &files[1], &files[2], "--out", &out]).succeeded();
    for date in ["2020-01-29", "2020-01-30", "2020-01-31"] {
        assert!(
            Path::new(&out)
                .join("bbo")
                .join(format!("date={date}"))
                .exists(),
            "{date}"
        );
    }
}

/// The verdict is in the exit code too.
#[test]
fn a_closed_pipe_does_not_hide_faults() {
    let temporary = folder();
    let mut bytes = day(1, 500);
    bytes.extend_from_slice(b"\x00\x03z??");
    let file = write(temporary.path(), NAME, &bytes).display().to_string();
    assert_eq!(run(["verify", &file]).code, Some(3));
    assert_eq!(run_unheard(&["verify", &file]).code, Some(3));
}
