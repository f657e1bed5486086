//! The fault simulation: every kind of fault, all of them at once, a crash at every point, and planted mistakes that
//! must be caught.

use std::collections::BTreeSet;

use nanobook::Timestamp;
use nanobook::trading::OrderState;
use nanobook_rebalance::core::{Command, Core, Defect, Ending, Now, State};
use nanobook_rebalance::journal;
use nanobook_rebalance::sim::{Config, Fault, Invariant, Model, Report, run};
use nanobook_risk::RiskEngine;
use rayon::prelude::*;

const MODELS: [Model; 2] = [Model::Ibkr, Model::Binance];

/// Runs of each kind and venue.
const KIND_SEEDS: u64 = 1_000;

/// Runs of all kinds at once, of each venue.
const MIXED_SEEDS: u64 = 10_000;

/// Runs after which a planted mistake counts as not caught.
const MUTANT_SEEDS: u64 = 2_000;

fn unbroken(config: &Config) -> Report {
    let report = run(config);
    if let Some(violation) = &report.violation {
        panic!("{config:?}: {violation}");
    }
    report
}

/// How often the faults struck in the runs of these seeds, none of which may break an invariant; and how many were done.
fn simulate(model: Model, faults: &[Fault], seeds: u64) -> ([u64; Fault::COUNT], u64) {
    let add = |mut sums: ([u64; Fault::COUNT], u64), report: Report| {
        for (sum, count) in sums.0.iter_mut().zip(report.injected) {
            *sum += u64::from(count);
        }
        sums.1 += u64::from(report.ending == Some(Ending::Done));
        sums
    };
    let zero = || ([0; Fault::COUNT], 0);
    (0..seeds)
        .into_par_iter()
        .map(|seed| unbroken(&Config::new(model, faults, seed)))
        .fold(zero, add)
        .reduce(zero, |mut a, b| {
            for (a, b) in a.0.iter_mut().zip(b.0) {
                *a += b;
            }
            (a.0, a.1 + b.1)
        })
}

#[test]
fn no_fault_of_one_kind_breaks_an_invariant() {
    for fault in Fault::ALL {
        // A crash is not drawn by lot: see below.
        if fault == Fault::Crash {
            continue;
        }
        for model in MODELS {
            let (struck, done) = simulate(model, &[fault], KIND_SEEDS);
            assert!(
                struck[fault as usize] >= KIND_SEEDS / 4,
                "{model:?} {fault:?} struck {} times",
                struck[fault as usize]
            );
            assert!(done >= KIND_SEEDS / 10, "{model:?} {fault:?}: {done} done");
        }
    }
}

#[test]
fn faults_of_all_kinds_at_once_break_no_invariant() {
    for model in MODELS {
        let (struck, done) = simulate(model, &Fault::ALL, MIXED_SEEDS);
        for (fault, struck) in Fault::ALL.iter().zip(struck) {
            assert!(struck >= 100, "{model:?} {fault:?} struck {struck} times");
        }
        assert!(done >= MIXED_SEEDS / 20, "{model:?}: {done} done");
    }
}

#[test]
fn a_crash_at_every_point_breaks_no_invariant() {
    for model in MODELS {
        let mut runs = 0;
        for seed in 0.. {
            if runs >= KIND_SEEDS {
                break;
            }
            // What was lost on the way makes the journal's last word matter.
            let faults = [Fault::Crash, Fault::AnswerLost, Fault::LateVisibility];
            let faults = &faults[..if seed % 2 == 0 { 1 } else { 3 }];
            let whole = Config {
                crash_at: Some(u64::MAX),
                ..Config::new(model, faults, seed)
            };
            let points = unbroken(&whole).points;
            assert!(points > 50);
            (0..points).into_par_iter().for_each(|point| {
                let report = unbroken(&Config {
                    crash_at: Some(point),
                    ..whole
                });
                assert_eq!(
                    report.injected[Fault::Crash as usize],
                    1,
                    "{whole:?} {point}"
                );
            });
            runs += points;
        }
    }
}

#[test]
fn a_seed_gives_its_journal_byte_by_byte() {
    for model in MODELS {
        let journals: BTreeSet<Vec<u8>> = (0..300_u64)
            .into_par_iter()
            .map(|seed| {
                let config = Config::new(model, &Fault::ALL, seed);
                let first = unbroken(&config);
                assert!(!journal::verify(&first.journal).unwrap().entries.is_empty());
                assert_eq!(first.journal, unbroken(&config).journal, "{config:?}");
                first.journal
            })
            .collect();
        assert_eq!(journals.len(), 300, "each seed has a journal of its own");
    }
}

#[test]
fn any_beginning_of_a_journal_can_be_resumed() {
    let now = Now {
        wall: Timestamp(0),
        mono_ns: 0,
    };
    for model in MODELS {
        (0..40_u64).into_par_iter().for_each(|seed| {
            let report = unbroken(&Config::new(model, &Fault::ALL, seed));
            let entries = journal::verify(&report.journal).unwrap().entries;
            for len in 1..=entries.len() {
                let state = State::replay(&entries[..len]).unwrap();
                let ended = state.outcome.as_ref().map(|outcome| outcome.ending);
                let (core, commands) = Core::resume(state, RiskEngine::default(), now).unwrap();
                // What is done, or was stale, ends at once; anything else is written down first.
                let over = matches!(ended, Some(Ending::Done | Ending::Stale));
                assert_eq!(matches!(commands[..], [Command::End(_)]), over);
                assert_eq!(matches!(commands[..], [Command::Write(_)]), !over);
                assert!(
                    core.state()
                        .orders
                        .iter()
                        .all(|o| o.state != OrderState::Journaled)
                );
            }
        });
    }
}

/// An execution that was first named with its correction hides how much of its order is missing, and in these runs one of a
/// single lot is missing when the next order is sized, or the residual told.
#[test]
fn no_execution_is_missed_behind_a_correction() {
    let few = &[Fault::Correction, Fault::DroppedRow, Fault::Partial][..];
    let cases = [
        (&Fault::ALL[..], 69_266, Invariant::WorstCaseWithinLimits),
        (few, 6_190, Invariant::ResidualIsExact),
        (few, 12_166, Invariant::ResidualIsExact),
    ];
    for (faults, seed, invariant) in cases {
        let config = Config::new(Model::Binance, faults, seed);
        unbroken(&config);
        let flawed = Config {
            defect: Some(Defect::BlindIsKnown),
            ..config
        };
        let violation = run(&flawed).violation.map(|found| found.invariant);
        assert_eq!(violation, Some(invariant), "{config:?}");
    }
}

/// Planted mistakes, and the faults among which each must be caught.
const MUTANTS: &[(Defect, &[Fault])] = &[
    (Defect::CancelTakenForDone, &[Fault::RequestLost]),
    (Defect::SilenceIsRefusal, &[Fault::AnswerLost]),
    (Defect::ResentOnSilence, &[Fault::AnswerLost]),
    (Defect::BreakIsRefusal, &[Fault::Disconnect]),
    (Defect::NeverExpires, &[Fault::HalfOpen]),
    (Defect::AnswersUnmatched, &[Fault::SlowAnswer]),
    (Defect::ConnectsOnce, &[Fault::ReconnectRefused]),
    (Defect::RefusedIsFilled, &[Fault::Reject]),
    (Defect::DuplicateIsRefusal, &[Fault::DuplicateId]),
    (Defect::PauseIgnored, &[Fault::Pacing]),
    (Defect::ErrorIsRefusal, &[Fault::ServerError]),
    (Defect::ResidualIsWhole, &[Fault::Partial]),
    (Defect::CancelledIsUntraded, &[Fault::VenueCancel]),
    (Defect::CancelReplyIsFinal, &[Fault::CancelRace]),
    (
        Defect::AbsentAtOnce,
        &[Fault::LateVisibility, Fault::AnswerLost],
    ),
    (
        Defect::AbsentByOrderAlone,
        &[Fault::Truncated, Fault::AnswerLost],
    ),
    (Defect::CashUnclaimed, &[Fault::LateVisibility]),
    (Defect::ProceedsExpected, &[Fault::LateVisibility]),
    (Defect::BuysFirst, &[]),
    (
        Defect::ErrorIsEmpty,
        &[Fault::QueryError, Fault::AnswerLost],
    ),
    (Defect::MissingIsCancelled, &[Fault::Truncated]),
    (Defect::MatchedByOrderId, &[Fault::IdRollback]),
    (Defect::CancelsAll, &[Fault::Foreign]),
    (Defect::PositionIgnored, &[Fault::Foreign]),
    (Defect::FillsCounted, &[Fault::DuplicateRow]),
    (Defect::LastAnswerWins, &[Fault::Reordered]),
    (Defect::FillsAreAll, &[Fault::DroppedRow]),
    (Defect::CorrectionsIgnored, &[Fault::Correction]),
    (Defect::QuoteUnchecked, &[Fault::BadQuote]),
    (Defect::HaltUnchecked, &[Fault::Halted]),
    (Defect::WallClockWaits, &[Fault::ClockJump]),
    (Defect::ClockNeverSet, &[Fault::ClockRefused]),
    (
        Defect::UnsentAfterCrash,
        &[Fault::Crash, Fault::LateVisibility],
    ),
    (Defect::NotSynced, &[Fault::TornJournal]),
    (Defect::SentBeforeWritten, &[]),
    (Defect::WriteErrorIgnored, &[Fault::DiskFull]),
    (Defect::LockIgnored, &[Fault::SecondInstance]),
    (Defect::CollarIgnored, &[]),
    (Defect::RiskIgnored, &[]),
    (Defect::ResidualForgotten, &[]),
    (Defect::ResidualInexact, &[]),
    (Defect::ChangedWithoutRecord, &[]),
    (Defect::KillIgnored, &[]),
    (Defect::KillSeenLate, &[]),
    (Defect::RateIgnored, &[]),
];

#[test]
fn every_planted_mistake_is_caught() {
    let mut missed = Vec::new();
    let mut by_invariant = BTreeSet::new();
    let mut by_fault = BTreeSet::new();
    for (defect, faults) in MUTANTS {
        let seeds = (0..MUTANT_SEEDS).into_par_iter();
        let caught = seeds.find_map_first(|seed| {
            MODELS.into_iter().find_map(|model| {
                let config = Config {
                    defect: Some(*defect),
                    ..Config::new(model, faults, seed)
                };
                run(&config).violation.map(|violation| (seed, violation))
            })
        });
        match caught {
            Some((seed, violation)) => {
                println!("{defect:?} among {faults:?}: seed {seed}, {violation}");
                by_invariant.insert(violation.invariant);
                by_fault.extend(faults.iter().copied());
            }
            None => missed.push(defect),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
    let blunt: Vec<_> = Invariant::ALL
        .into_iter()
        .filter(|invariant| !by_invariant.contains(invariant))
        .collect();
    assert!(blunt.is_empty(), "catch nothing: {blunt:?}");
    let idle: Vec<_> = Fault::ALL
        .into_iter()
        .filter(|fault| !by_fault.contains(fault))
        .collect();
    assert!(idle.is_empty(), "make nothing bite: {idle:?}");
}
