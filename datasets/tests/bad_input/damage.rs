//! Files that are damaged, cut, or no feeds at all.

use std::fs;
use std::path::Path;

use nanobook::Timestamp;
use nanobook_datasets::{
    Error, ReplayOptions, Result, SessionDate, SessionReport, Source, Stop, inspect, replay_into,
};
use nanobook_itch::replay::{Config, Wanted};
use nanobook_itch::{Frames, Framing};

use crate::support::*;

/// Replays bytes in this process, every row of the book wanted.
fn replay_bytes(bytes: &[u8], options: &ReplayOptions) -> Result<SessionReport> {
    let wanted = Wanted {
        mbo: true,
        bbo: true,
        trades: true,
        depth: 3,
        every_ns: None,
        bars_ns: Some(60_000_000_000),
    };
    let config = Config {
        wanted,
        ..Config::new(Timestamp(0))
    };
    let source = Source::from_bytes(NAME, bytes.to_vec().leak())?;
    replay_into(source, config, options, &Stop::new(), &mut ())
}

fn one_thread() -> ReplayOptions {
    ReplayOptions {
        threads: 1,
        ..ReplayOptions::default()
    }
}

fn tolerant() -> ReplayOptions {
    ReplayOptions {
        allow_truncated: true,
        ..one_thread()
    }
}

/// Asserts that an error is one line that begins with the file's name.
#[track_caller]
fn assert_clear(error: &Error) {
    let text = error.to_string();
    assert!(
        text.starts_with(NAME) && text.lines().count() == 1,
        "{text}"
    );
}

#[test]
fn a_feed_cut_at_any_byte_is_an_error_that_says_where() {
    let bytes = day(5, 60);
    let mut frames = Frames::new(&bytes, Framing::Length);
    let mut ends = vec![0];
    while frames.next().is_some() {
        ends.push(frames.offset());
    }
    for cut in 0..bytes.len() {
        let whole = ends.partition_point(|end| *end <= cut) as u64 - 1;
        let strict = replay_bytes(&bytes[..cut], &one_thread());
        let lenient = replay_bytes(&bytes[..cut], &tolerant());
        if cut == 0 {
            assert!(matches!(strict, Err(Error::Empty { .. })), "{strict:?}");
            assert!(matches!(lenient, Err(Error::Empty { .. })), "{lenient:?}");
            continue;
        }
        if ends.contains(&cut) {
            assert_eq!(strict.unwrap().report.messages.total(), whole);
            assert_eq!(lenient.unwrap().tail, None);
            continue;
        }
        let error = strict.unwrap_err();
        assert_clear(&error);
        assert!(
            error
                .to_string()
                .contains(&format!("input ends at byte {cut} inside")),
            "{error}"
        );
        if whole == 0 {
            assert!(matches!(lenient, Err(Error::Empty { .. })), "{lenient:?}");
            continue;
        }
        assert!(
            error.to_string().contains("the last whole message is of "),
            "{error}"
        );
        let report = lenient.unwrap();
        assert_eq!(report.report.messages.total(), whole);
        assert!(report.has_faults());
        assert!(report.tail.unwrap().reason.contains(&format!("byte {cut}")));
    }
}

#[test]
fn a_packed_feed_cut_at_any_byte_is_an_error() {
    let bytes = day(6, 200);
    let messages = replay_bytes(&bytes, &one_thread())
        .unwrap()
        .report
        .messages
        .total();
    for packed in [gzip(&bytes), zstd(&bytes)] {
        let mut most = 0;
        for cut in 0..packed.len() {
            let error = replay_bytes(&packed[..cut], &one_thread()).unwrap_err();
            assert_clear(&error);
            match replay_bytes(&packed[..cut], &tolerant()) {
                Ok(report) => {
                    let seen = report.report.messages.total();
                    assert!(
                        most <= seen && seen <= messages,
                        "{cut}: {most} {seen} {messages}"
                    );
                    assert!(report.tail.is_some());
                    most = seen;
                }
                Err(error) => assert_clear(&error),
            }
        }
        // All but the checksum is there.
        assert_eq!(most, messages);
        assert_eq!(
            replay_bytes(&packed, &one_thread())
                .unwrap()
                .report
                .messages
                .total(),
            messages
        );
    }
}

/// Two gzip members, or two zstd frames, are one feed; a cut in the second is found.
#[test]
fn a_feed_of_two_members_cut_in_the_second_is_an_error() {
    let bytes = day(7, 200);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for pack in [gzip, zstd] {
        let mut packed = pack(first);
        let start = packed.len();
        packed.extend(pack(second));
        let whole = replay_bytes(&packed, &one_thread()).unwrap();
        assert_eq!(whole.report.messages.total(), 200);
        for cut in start + 1..packed.len() {
            let error = replay_bytes(&packed[..cut], &one_thread()).unwrap_err();
            assert_clear(&error);
        }
    }
}

#[test]
fn a_packed_feed_with_a_flipped_bit_is_an_error_or_the_same_feed() {
    let bytes = day(8, 100);
    let sound = replay_bytes(&bytes, &one_thread()).unwrap().report;
    for packed in [gzip(&bytes), zstd(&bytes)] {
        let mut found = 0;
        for bit in 0..8 * packed.len() {
            let mut flipped = packed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match replay_bytes(&flipped, &one_thread()) {
                // A bit that means nothing, such as one of the time in the header.
                Ok(report) => assert_eq!(report.report, sound, "bit {bit}"),
                Err(error) => {
                    assert_clear(&error);
                    found += 1;
                }
            }
        }
        assert!(
            found > 7 * packed.len(),
            "{found} of {} bits",
            8 * packed.len()
        );
    }
}

/// A bit of a raw feed may mean anything: an error, a fault, another price. No panic, no lost name.
#[test]
fn a_raw_feed_with_a_flipped_bit_does_no_harm() {
    let bytes = day(9, 60);
    let (mut errors, mut faults) = (0, 0);
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match replay_bytes(&flipped, &one_thread()) {
            Ok(report) => faults += u32::from(report.has_faults()),
            Err(error) => {
                assert_clear(&error);
                errors += 1;
            }
        }
        if let Err(error) = replay_bytes(&flipped, &tolerant()) {
            assert_clear(&error);
        }
    }
    assert!(
        errors > 100 && faults > 100,
        "{errors} errors, {faults} with faults"
    );
}

#[test]
fn random_bytes_do_no_harm() {
    let mut random = Random(11);
    let framings = [
        None,
        Some(Framing::Length),
        Some(Framing::Zero),
        Some(Framing::None),
    ];
    // As they are, and behind what makes them look packed.
    let heads: [&[u8]; 4] = [
        b"",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd\x24\x40",
    ];
    for round in 0..1_000 {
        let size = usize::try_from(random.next() % 3_000).unwrap();
        let bytes = [heads[round % 4], &random.bytes(size)].concat();
        for framing in framings {
            let options = ReplayOptions {
                framing,
                ..one_thread()
            };
            if let Err(error) = replay_bytes(&bytes, &options) {
                assert_clear(&error);
            }
            let source = Source::from_bytes(NAME, bytes.clone().leak()).unwrap();
            if let Err(error) = inspect(source, &options, &Stop::new()) {
                assert_clear(&error);
            }
        }
    }
}

/// Damaged files with what the command says about each.
fn damaged() -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let bytes = day(12, 2_000);
    let packed = gzip(&bytes);
    let squeezed = zstd(&bytes);
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        bytes
    };
    vec![
        ("empty", vec![], vec!["no message"]),
        ("two zero bytes", vec![0, 0], vec!["no message"]),
        (
            "random",
            Random(3).bytes(10_000),
            vec!["framing", "4096 bytes"],
        ),
        (
            "text",
            b"date,symbol,price\n".repeat(500),
            vec!["framing", "4096 bytes"],
        ),
        (
            "cut",
            bytes[..bytes.len() - 1].to_vec(),
            vec!["input ends at byte", "inside a message"],
        ),
        (
            "cut gzip",
            half(&packed),
            vec!["gzip", "cut", "unpacked bytes", "last whole message"],
        ),
        (
            "damaged gzip",
            flipped(&packed),
            vec!["gzip", "damaged", "unpacked bytes"],
        ),
        (
            "gzip and garbage",
            [&packed[..], b"garbage"].concat(),
            vec!["gzip", "damaged"],
        ),
        ("gzip of nothing", gzip(b""), vec!["no message"]),
        (
            "cut zstd",
            half(&squeezed),
            vec!["zstd", "cut", "unpacked bytes"],
        ),
        (
            "damaged zstd",
            flipped(&squeezed),
            vec!["zstd", "damaged", "unpacked bytes"],
        ),
        ("zstd of nothing", zstd(b""), vec!["no message"]),
    ]
}

#[test]
fn the_command_says_what_is_wrong_with_a_file_and_writes_nothing() {
    let temporary = folder();
    for (what, bytes, words) in damaged() {
        println!("{what}");
        let file = write(temporary.path(), NAME, &bytes);
        let name = file.display().to_string();
        let words: Vec<&str> = words.into_iter().chain([name.as_str()]).collect();
        let out = temporary.path().join("made/for/this");
        for threads in ["1", "2"] {
            let all = ["--threads", threads, "--tables", "all"];
            replay(&file, &out, &all).failed(1, &words);
            assert_nothing_left(&temporary.path().join("made"));
            let by_symbol = ["--threads", threads, "--tables", "all", "--sort", "symbol"];
            replay(&file, &out, &by_symbol).failed(1, &words);
            assert_nothing_left(&temporary.path().join("made"));
        }
        run(["verify", &name]).failed(1, &words);
        run(["inspect", &name]).failed(1, &words);
    }
}

#[test]
fn a_day_that_is_there_stays_as_it_was() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let good = write(temporary.path(), NAME, &day(1, 500));
    replay(&good, &out, &["--tables", "all"]).succeeded();
    let before = tree(&out);
    assert_eq!(before.len(), 17, "{:?}", before.keys());
    for (_, bytes, words) in damaged() {
        let file = write(temporary.path(), NAME, &bytes);
        replay(&file, &out, &["--tables", "all"]).failed(1, &words);
        assert_eq!(tree(&out), before);
    }
    // Another day of the same dataset is left alone as well.
    let other = write(
        temporary.path(),
        "01312020.NASDAQ_ITCH50",
        &day(1, 500)[..9_999],
    );
    replay(&other, &out, &[]).failed(1, &["input ends at byte 9999"]);
    assert_eq!(tree(&out), before);
}

#[test]
fn paths_that_are_no_files_are_named() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let file = write(temporary.path(), NAME, &day(1, 100));
    let folder = temporary.path().join(format!("{NAME}.folder"));
    fs::create_dir(&folder).unwrap();
    let missing = temporary.path().join(format!("{NAME}.missing"));
    let under_a_file = file.join(NAME);
    for (path, word) in [
        (folder.as_path(), "directory"),
        (&missing, "No such file"),
        (&under_a_file, "Not a directory"),
    ] {
        let name = path.display().to_string();
        replay(path, &out, &[]).failed(1, &[&name, word]);
        run(["verify", &name]).failed(1, &[&name, word]);
        run(["inspect", &name]).failed(1, &[&name, word]);
        assert!(!out.exists());
    }
    run(["ls", &file.display().to_string()]).failed(1, &["no dataset"]);
    run(["ls", &missing.display().to_string()]).failed(1, &["no dataset"]);
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let temporary = folder();
    let file = write(temporary.path(), NAME, &day(1, 100));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let name = file.display().to_string();
    if let Some(ran) = run_without_rights(&temporary, &["verify", &name]) {
        ran.failed(1, &[&name, "Permission denied"]);
    }
}

#[test]
fn a_framing_that_is_wrong_is_an_error_that_says_where() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let length = day(1, 100);
    let unframed: Vec<u8> = Frames::new(&length, Framing::Length)
        .flat_map(|(_, bytes)| bytes)
        .copied()
        .collect();
    let mut zero = Vec::new();
    for (_, message) in Frames::new(&length, Framing::Length) {
        Framing::Zero.encode_bytes(message, &mut zero);
    }
    for (bytes, right, wrong) in [
        (&length, "length", [("zero", "byte 0"), ("none", "byte 0")]),
        (
            &zero,
            "zero",
            [("length", "no message"), ("none", "byte 0")],
        ),
        (
            &unframed,
            "none",
            [("length", "byte 0"), ("zero", "byte 0")],
        ),
    ] {
        let file = write(temporary.path(), NAME, bytes);
        let name = file.display().to_string();
        run(["verify", &name]).succeeded();
        run(["verify", &name, "--framing", right]).succeeded();
        for (framing, word) in wrong {
            replay(&file, &out, &["--framing", framing]).failed(1, &[&name, word]);
            assert_nothing_left(&out);
        }
    }
}

#[test]
fn a_day_is_the_same_from_every_packing() {
    let temporary = folder();
    let bytes = day(4, 3_000);
    let date: SessionDate = DATE.parse().unwrap();
    let tables = |name: &str, bytes: &[u8]| {
        let file = write(temporary.path(), name, bytes);
        let out = temporary.path().join(format!("{name}.out"));
        let (source, options) = (Source::open(&file).unwrap(), ReplayOptions::default());
        nanobook_datasets::replay(source, date, &out, &options, &Stop::new())
            .unwrap()
            .tables
    };
    let rows = |name: &str, bytes: &[u8]| -> Vec<u64> {
        tables(name, bytes)
            .iter()
            .map(|(_, summary)| summary.rows)
            .collect()
    };
    let raw = rows("raw", &bytes);
    assert!(raw.iter().sum::<u64>() > 1_000);
    // Names that lie about what is in the file: its content tells.
    assert_eq!(rows("day.zst", &gzip(&bytes)), raw);
    assert_eq!(rows("day.gz", &zstd(&bytes)), raw);
    assert!(!Path::new(NAME).exists());
}
