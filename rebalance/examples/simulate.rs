//! Simulates many runs and says what came of them.
//!
//! `simulate mixed 500000 [FIRST]` runs all kinds of fault at once, that many seeds for each venue;
//! `simulate kinds 1000 [FIRST]` one kind at a time; `simulate seed KIND MODEL SEED` one run, with its journal.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use nanobook_rebalance::sim::{Config, Fault, Model, Report, run};
use rayon::prelude::*;

const MODELS: [Model; 2] = [Model::Ibkr, Model::Binance];

/// How runs ended, how often faults struck, and the first seed that broke something.
#[derive(Default)]
struct Tally {
    runs: u64,
    points: u64,
    endings: BTreeMap<String, u64>,
    injected: Vec<u64>,
    broken: u64,
    first: Option<(u64, String)>,
}

impl Tally {
    fn add(mut self, seed: u64, report: &Report) -> Self {
        self.runs += 1;
        self.points += report.points;
        let ending = report.ending.map_or("none", |ending| ending.as_str());
        *self.endings.entry(ending.into()).or_default() += 1;
        self.injected.resize(Fault::COUNT, 0);
        for (sum, count) in self.injected.iter_mut().zip(report.injected) {
            *sum += u64::from(count);
        }
        if let Some(violation) = &report.violation {
            self.broken += 1;
            if self.first.as_ref().is_none_or(|(first, _)| seed < *first) {
                self.first = Some((seed, violation.to_string()));
            }
        }
        self
    }

    fn join(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.points += other.points;
        self.broken += other.broken;
        self.injected.resize(Fault::COUNT, 0);
        for (sum, count) in self.injected.iter_mut().zip(other.injected) {
            *sum += count;
        }
        for (ending, count) in other.endings {
            *self.endings.entry(ending).or_default() += count;
        }
        let firsts = [self.first.take(), other.first];
        self.first = firsts.into_iter().flatten().min();
        self
    }
}

fn simulate(model: Model, faults: &[Fault], seeds: std::ops::Range<u64>) -> Tally {
    seeds
        .into_par_iter()
        .fold(Tally::default, |tally, seed| {
            tally.add(seed, &run(&Config::new(model, faults, seed)))
        })
        .reduce(Tally::default, Tally::join)
}

#[expect(clippy::print_stdout, reason = "it is a command")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| {
        args.get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (count, first) = (number(1, 1_000), number(2, 0));
    let begun = Instant::now();
    let mut runs = 0;
    let mut broken = 0;
    let mut say = |name: String, tally: &Tally| {
        runs += tally.runs;
        broken += tally.broken;
        println!(
            "{name:<28} {:>8} runs {:>5} points/run  {:?}",
            tally.runs,
            tally.points / tally.runs.max(1),
            tally.endings
        );
        if let Some((seed, violation)) = &tally.first {
            println!(
                "   {} broken, first: seed {seed}: {violation}",
                tally.broken
            );
        }
    };
    match args.first().map(String::as_str) {
        Some("mixed") => {
            for model in MODELS {
                let tally = simulate(model, &Fault::ALL, first..first + count);
                say(format!("{model:?} mixed"), &tally);
                for (fault, count) in Fault::ALL.iter().zip(&tally.injected) {
                    println!("   {fault:?} {count}");
                }
            }
        }
        Some("kinds") => {
            for fault in Fault::ALL {
                for model in MODELS {
                    let tally = simulate(model, &[fault], first..first + count);
                    let struck = tally.injected[fault as usize];
                    say(format!("{model:?} {fault:?} {struck}"), &tally);
                }
            }
        }
        Some("seed") => {
            let kind = args.get(1).map_or("", String::as_str);
            let faults: Vec<Fault> = Fault::ALL
                .into_iter()
                .filter(|fault| kind == "mixed" || format!("{fault:?}") == kind)
                .collect();
            let model = MODELS[usize::from(args.get(2).is_some_and(|name| name == "Binance"))];
            let report = run(&Config::new(model, &faults, number(3, 0)));
            if let Ok(contents) = nanobook_rebalance::journal::read(&report.journal) {
                for entry in contents.entries {
                    println!(
                        "{:>6} ms  {:?}",
                        entry.ts.0 / 1_000_000 - 1_700_000_000_000,
                        entry.record
                    );
                }
            }
            println!("{:?} {:?}", report.ending, report.violation);
        }
        _ => {
            println!("simulate mixed|kinds RUNS [FIRST SEED], or simulate seed KIND MODEL SEED");
            return ExitCode::from(2);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{runs} runs in {seconds:.1} s, {broken} broken");
    ExitCode::from(u8::from(broken > 0))
}
