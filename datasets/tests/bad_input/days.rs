//! Which day a file is of, and several days in one call.

use std::path::PathBuf;
use std::process::Stdio;

use crate::support::*;

#[test]
fn the_date_comes_from_the_name_or_from_the_argument() {
    let temporary = folder();
    let bytes = day(1, 200);
    let out = temporary.path().join("data");
    for (name, more, date) in [
        ("01302020.NASDAQ_ITCH50", &[][..], "2020-01-30"),
        ("20190730.BX_ITCH_50", &[], "2019-07-30"),
        ("S022820-v50.txt", &[], "2020-02-28"),
        ("day.itch", &["--date", "2020-03-08"], "2020-03-08"),
        // The argument has the last word.
        (
            "01302020.PSX_ITCH50",
            &["--date", "2021-06-01"],
            "2021-06-01",
        ),
    ] {
        let file = write(temporary.path(), name, &bytes);
        let said = replay(&file, &out, more).succeeded().stdout;
        assert!(
            said.starts_with(&format!("{name} → ")) && said.contains(date),
            "{said}"
        );
        assert!(
            out.join("bbo")
                .join(format!("date={date}"))
                .join("part-0.parquet")
                .exists()
        );
    }
}

#[test]
fn a_file_that_tells_no_date_is_not_replayed() {
    let temporary = folder();
    let out = temporary.path().join("data");
    for name in [
        "day.itch",
        "13302020.NASDAQ_ITCH50",
        "0130202.NASDAQ_ITCH50",
        "S013020.txt",
    ] {
        let file = write(temporary.path(), name, &day(1, 100));
        replay(&file, &out, &[]).failed(1, &[name, "--date"]);
        assert_nothing_left(&out);
    }
    // Standard input has no name.
    let out_name = out.display().to_string();
    let mut child = command(["replay", "-", "--out", &out_name])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    Ran::from(child.wait_with_output().unwrap()).failed(1, &["--date"]);
    assert_nothing_left(&out);
}

#[test]
fn several_days_go_into_one_dataset() {
    let temporary = folder();
    let names = [
        "01292020.NASDAQ_ITCH50",
        "01302020.NASDAQ_ITCH50.gz",
        "01312020.NASDAQ_ITCH50.zst",
    ];
    let bytes = [day(1, 500), gzip(&day(2, 600)), zstd(&day(3, 700))];
    let files: Vec<String> = names
        .iter()
        .zip(&bytes)
        .map(|(name, bytes)| write(temporary.path(), name, bytes).display().to_string())
        .collect();
    let out = temporary.path().join("data");
    let out_name = out.display().to_string();
    let args = [
        &["replay", "--out", &out_name][..],
        &[&files[0], &files[1], &files[2]],
    ]
    .concat();
    let said = run(args).succeeded().stdout;
    for (name, messages) in names.iter().zip(["500", "600", "700"]) {
        let report = &said[said.find(name).expect("each day is reported")..];
        let line = report.lines().nth(1).unwrap();
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>(),
            ["messages", messages]
        );
    }
    let listed = run(["ls", &out_name]).succeeded().stdout;
    for (name, date) in names.iter().zip(["2020-01-29", "2020-01-30", "2020-01-31"]) {
        let of_day = listed.lines().filter(|line| line.starts_with(date));
        assert!(of_day.clone().count() > 10 && of_day.clone().all(|line| line.ends_with(name)));
    }
}

/// The days before a bad one are there, the bad one and those after it are not, and the error names it.
#[test]
fn a_bad_day_among_several_is_named() {
    let temporary = folder();
    let good = write(temporary.path(), "01292020.NASDAQ_ITCH50", &day(1, 500))
        .display()
        .to_string();
    let bad = write(temporary.path(), NAME, &day(1, 500)[..5_000])
        .display()
        .to_string();
    let out = temporary.path().join("data");
    let out_name = out.display().to_string();
    run(["replay", &good, &bad, "--out", &out_name]).failed(1, &[&bad, "byte 5000"]);
    let listed = run(["ls", &out_name]).succeeded().stdout;
    assert!(
        listed.contains("2020-01-29") && !listed.contains(DATE),
        "{listed}"
    );
    assert!(
        tree(&out)
            .keys()
            .all(|path| path.to_string_lossy().contains("2020-01-29"))
    );
}

#[test]
fn two_files_of_one_day_are_refused() {
    let temporary = folder();
    let first = write(temporary.path(), "01302020.NASDAQ_ITCH50", &day(1, 100))
        .display()
        .to_string();
    let second = write(temporary.path(), "20200130.BX_ITCH_50", &day(2, 100))
        .display()
        .to_string();
    let out = temporary.path().join("data");
    let out_name = out.display().to_string();
    let words = [
        "01302020.NASDAQ_ITCH50",
        "20200130.BX_ITCH_50",
        DATE,
        "different folders",
    ];
    run(["replay", &first, &second, "--out", &out_name]).failed(1, &words);
    run(["replay", &first, &first, "--out", &out_name]).failed(1, &[DATE]);
    let third = write(temporary.path(), "01312020.NASDAQ_ITCH50", &day(2, 100))
        .display()
        .to_string();
    let args = [
        "replay",
        &first,
        &third,
        "--date",
        "2020-02-03",
        "--out",
        &out_name,
    ];
    run(args).failed(1, &["2020-02-03"]);
    assert_nothing_left(&out);
}

/// A run for some tables replaces those, and keeps the others of the day.
#[test]
fn a_day_is_replaced_table_by_table() {
    let temporary = folder();
    let out = temporary.path().join("data");
    let first = write(temporary.path(), NAME, &day(1, 500));
    replay(&first, &out, &["--tables", "bbo,trades"]).succeeded();
    let before = tree(&out);
    let second = write(temporary.path(), "01302020.BX_ITCH50", &day(2, 500));
    replay(&second, &out, &["--tables", "trades,status"]).succeeded();
    let after = tree(&out);
    let file = |table: &str| PathBuf::from(format!("{table}/date={DATE}/part-0.parquet"));
    assert_eq!(after[&file("bbo")], before[&file("bbo")]);
    assert_ne!(after[&file("trades")], before[&file("trades")]);
    assert_eq!(after.len(), 4, "{:?}", after.keys());
    let listed = run(["ls", &out.display().to_string()]).succeeded().stdout;
    let of = |table: &str| {
        let line = listed
            .lines()
            .find(|line| line.contains(table))
            .expect("it is listed");
        line.split_whitespace()
            .last()
            .expect("the source is last")
            .to_owned()
    };
    assert_eq!(
        [of("bbo"), of("trades"), of("status")],
        [NAME, "01302020.BX_ITCH50", "01302020.BX_ITCH50"]
    );
}
