//! Wrong arguments and exit codes.

use crate::support::*;

#[test]
fn wrong_arguments_are_refused_with_what_to_do() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let out_name = out.display().to_string();
    for (argument, value, words) in [
        (
            "--tables",
            "quotes",
            &["quotes", "bbo", "trades", "mbo", "system_events"][..],
        ),
        ("--tables", "bbo,quotes", &["quotes", "bbo"]),
        ("--tables", "", &["--tables"]),
        (
            "--price-type",
            "cents",
            &["cents", "float", "decimal", "fixed"],
        ),
        ("--bars", "1d", &["1d", "100ms", "1h"]),
        ("--bars", "0s", &["0s", "100ms"]),
        ("--every", "fast", &["fast", "100ms"]),
        ("--depth", "0", &["1 to 100"]),
        ("--depth", "101", &["1 to 100"]),
        ("--from", "9", &["09:30"]),
        ("--to", "25:00", &["09:30"]),
        ("--date", "2020-13-01", &["2020-13-01", "2020-01-30"]),
        ("--date", "01302020", &["01302020", "2020-01-30"]),
        ("--framing", "bytes", &["length", "zero", "none"]),
        ("--sort", "price", &["time", "symbol"]),
        ("--threads", "0", &["1..=256"]),
        ("--symbols", "A SYMBOL THAT IS TOO LONG", &["15 characters"]),
        ("--symbols", "AAPL,", &["--symbols"]),
        ("--colour", "red", &["--colour", "--help"]),
    ] {
        run(["replay", "--sample", "--out", &out_name, argument, value]).refused(words);
    }
    for (args, words) in [
        (&["replay", "--sample"][..], &["--out"][..]),
        (&["replay", "--out", &out_name], &["<FILES>"]),
        (
            &["replay", "x", "--sample", "--out", &out_name],
            &["--sample"],
        ),
        (&["verify"], &["<FILES>"]),
        (&["inspect"], &["<FILES>"]),
        (&["synth"], &["<FILE>"]),
        (&["synth", "--symbols", "70000", "x"], &["--symbols"]),
        (&["ls"], &["<DIR>"]),
        (&["play"], &["play"]),
        (&[], &["Usage"]),
    ] {
        run(args).refused(words);
    }
    assert!(!out.exists());
}

#[test]
fn help_names_the_exit_codes() {
    let help = run(["--help"]).succeeded().stdout;
    assert!(help.contains("0 done; 1 ") && help.contains("3 verify saw faults; 130 interrupted"));
    for command in ["replay", "verify", "inspect", "synth", "ls"] {
        let help = run([command, "--help"]).succeeded().stdout;
        assert!(help.contains("Example"), "{command}");
    }
}

#[test]
fn verify_says_in_its_exit_code_whether_anything_was_odd() {
    let temporary = folder();
    let good = write(temporary.path(), NAME, &day(1, 500))
        .display()
        .to_string();
    let said = run(["verify", &good]).succeeded().stdout;
    assert!(said.contains("whole and without faults"), "{said}");

    // A day without its end is said to be one, but nothing in it is odd.
    let mut bytes = day(1, 500);
    let end = nanobook_itch::Frames::new(&bytes, nanobook_itch::Framing::Length)
        .map(|(start, _)| start - 2)
        .last()
        .unwrap();
    let unended = write(temporary.path(), "unended", &bytes[..end])
        .display()
        .to_string();
    let said = run(["verify", &unended]).succeeded().stdout;
    assert!(said.contains("does not end with system event C"), "{said}");

    // An unknown type, a wrong length, the delete of an order that is not there, and something behind the end.
    let faults: [(&[u8], &str); 4] = [
        (b"\x00\x00more", "behind the end    4 bytes"),
        (b"\x00\x03z??", "unknown type      z 1"),
        (b"\x00\x03A??", "wrong length      A 1"),
        (
            b"\x00\x13D\x00\x01\x00\x00\x3f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            "unknown_order 1",
        ),
    ];
    for (frame, words) in faults {
        bytes.truncate(day(1, 500).len());
        bytes.extend_from_slice(frame);
        let file = write(temporary.path(), "odd", &bytes).display().to_string();
        let ran = run(["verify", &file]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), ""), "{ran:?}");
        assert!(
            ran.stdout.contains(words) && ran.stdout.contains("FAULTS"),
            "{ran:?}"
        );
        // One odd file among several is enough.
        assert_eq!(run(["verify", &file, &good]).code, Some(3));
        // Replay tells of it and goes on.
        let out = temporary.path().join("data");
        let odd = temporary.path().join("odd");
        replay(&odd, &out, &["--date", DATE]).succeeded();
    }

    let cut = write(temporary.path(), "cut", &bytes[..9_999])
        .display()
        .to_string();
    run(["verify", &cut]).failed(1, &["byte 9999"]);
    let ran = run(["verify", &cut, "--allow-truncated"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.stdout.contains("truncated") && ran.stdout.contains("byte 9999"),
        "{ran:?}"
    );
}
