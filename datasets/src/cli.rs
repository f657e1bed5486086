//! The command `nanobook`.

mod args;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use nanobook_itch::replay::Config;
use nanobook_itch::synth;

use self::args::{Args, Command, Reading, ReplayArgs, SynthArgs};
use crate::report::grouped;
use crate::{
    Error, Result, SAMPLE_NAME, SessionDate, Source, Stop, WrittenDay, catalog, inspect,
    remove_unfinished, replay, replay_into, sample,
};

/// Asked for by Ctrl-C.
static STOP: Stop = Stop::new();

/// Exit code when all went well.
const DONE: u8 = 0;
/// Exit code when a file or folder could not be read or written.
const FAILED: u8 = 1;
/// Exit code of `verify` when something was odd.
const FAULTS: u8 = 3;
/// How long the work has to end after Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(250);

/// Exit code after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Runs the command with the arguments of the process.
pub fn run() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os()))
}

/// Runs the command with these arguments, of which the first is its name, and returns its exit code.
///
/// It takes over Ctrl-C, which ends the process.
pub fn run_with(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(FAILED);
        }
    };
    // Without a handler Ctrl-C ends the process at once, which leaves a hidden folder at most.
    let _ = ctrlc::set_handler(interrupt);
    let mut out = io::stdout().lock();
    let result = match args.command {
        Command::Replay(args) => run_replay(&args, &mut out),
        Command::Verify(args) => run_verify(&args.files, &args.reading, &mut out),
        Command::Inspect(args) => run_inspect(&args.files, &args.reading, &mut out),
        Command::Synth(args) => run_synth(&args, &mut out),
        Command::Ls { dir } => run_ls(&dir, &mut out),
    };
    match result {
        Ok(code) => code,
        // A closed pipe is the reader's wish and not an error.
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            complain(&error);
            if matches!(error, Error::Interrupted) {
                INTERRUPTED
            } else {
                FAILED
            }
        }
    }
}

/// Asks for the end, and makes one when the work does not come round to it: a feed may be silent.
fn interrupt() {
    STOP.ask();
    std::thread::sleep(PATIENCE);
    remove_unfinished();
    complain(&Error::Interrupted);
    std::process::exit(INTERRUPTED.into());
}

/// Says what went wrong, once: the handler of Ctrl-C and the work may both come to it.
fn complain(error: &Error) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        let _ = writeln!(io::stderr(), "nanobook: {error}");
    }
}

/// Prints for people: when nobody reads any more, the work goes on.
fn say(out: &mut impl Write, text: impl std::fmt::Display) -> Result<()> {
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io("write", Path::new("standard output"), e))
        }
        _ => Ok(()),
    }
}

/// What is to be read: files, or the sample.
fn sources(files: &[PathBuf], use_sample: bool) -> Vec<Option<&Path>> {
    if use_sample {
        vec![None]
    } else {
        files.iter().map(|path| Some(path.as_path())).collect()
    }
}

fn open(path: Option<&Path>) -> Result<Source> {
    path.map_or_else(sample, Source::open)
}

fn name_of(path: Option<&Path>) -> String {
    match path {
        Some(path) => path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        None => SAMPLE_NAME.to_owned(),
    }
}

/// The day of every source, before the first is read.
fn dates(paths: &[Option<&Path>], date: Option<SessionDate>) -> Result<Vec<SessionDate>> {
    let mut seen: BTreeMap<SessionDate, String> = BTreeMap::new();
    let mut dates = Vec::new();
    for path in paths {
        let name = name_of(*path);
        let date = date.map_or_else(|| SessionDate::from_file_name(&name), Ok)?;
        if let Some(first) = seen.insert(date, name.clone()) {
            return Err(Error::SameDate {
                first,
                second: name,
                date: date.to_string(),
            });
        }
        dates.push(date);
    }
    Ok(dates)
}

fn run_replay(args: &ReplayArgs, out: &mut impl Write) -> Result<u8> {
    let paths = sources(&args.files, args.use_sample());
    let dates = dates(&paths, args.date)?;
    let options = args.options();
    for (path, date) in paths.into_iter().zip(dates) {
        let day = replay(open(path)?, date, &args.out, &options, &STOP)?;
        say(out, Written(&day, &args.out))?;
    }
    Ok(DONE)
}

/// What was written, for people.
struct Written<'a>(&'a WrittenDay, &'a Path);

impl std::fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let WrittenDay {
            date,
            report,
            tables,
        } = self.0;
        writeln!(f, "{} → {}, {date}", report.origin.name, self.1.display())?;
        write!(f, "{report}")?;
        writeln!(f, "  {:<18}{:>14}{:>16}  file", "table", "rows", "bytes")?;
        let mut empty = Vec::new();
        for (table, summary) in tables {
            if summary.rows == 0 {
                empty.push(table.as_str());
                continue;
            }
            let (rows, bytes) = (grouped(summary.rows), grouped(summary.bytes));
            writeln!(
                f,
                "  {table:<18}{rows:>14}{bytes:>16}  {}",
                summary.path.display()
            )?;
        }
        if !empty.is_empty() {
            writeln!(f, "  without rows      {}", empty.join(" "))?;
        }
        Ok(())
    }
}

fn run_verify(files: &[PathBuf], reading: &Reading, out: &mut impl Write) -> Result<u8> {
    let mut code = DONE;
    for path in sources(files, reading.sample) {
        // Times of day are all that is shown, so the day does not matter.
        let config = Config::new(nanobook::Timestamp(0));
        let options = reading.options();
        let report = replay_into(
            open(path)?.without_digest(),
            config,
            &options,
            &STOP,
            &mut (),
        )?;
        say(out, format_args!("{}\n{report}", report.origin.name))?;
        let verdict = if report.has_faults() {
            code = FAULTS;
            "FAULTS"
        } else if report.report.last_system_event == Some(b'C') {
            "whole and without faults"
        } else {
            "without faults; the day does not end with system event C"
        };
        say(out, format_args!("  {:<18}{verdict}\n", "verdict"))?;
    }
    Ok(code)
}

fn run_inspect(files: &[PathBuf], reading: &Reading, out: &mut impl Write) -> Result<u8> {
    for path in sources(files, reading.sample) {
        say(out, inspect(open(path)?, &reading.options(), &STOP)?)?;
    }
    Ok(DONE)
}

fn run_synth(args: &SynthArgs, out: &mut impl Write) -> Result<u8> {
    let config = synth::Config {
        seed: args.seed,
        messages: args.messages,
        symbols: args.symbols,
        ..synth::Config::default()
    };
    let bytes = crate::synthesize(config, &args.file, &STOP)?;
    if args.file != Path::new("-") {
        let messages = args.messages.max(synth::Config::MIN_MESSAGES);
        let (messages, bytes) = (grouped(messages), grouped(bytes));
        say(
            out,
            format_args!(
                "{}: {messages} messages, {bytes} bytes\n",
                args.file.display()
            ),
        )?;
    }
    Ok(DONE)
}

fn run_ls(dir: &Path, out: &mut impl Write) -> Result<u8> {
    let entries = catalog(dir)?;
    say(
        out,
        format_args!(
            "{:<12}{:<18}{:>14}{:>16}  source\n",
            "date", "table", "rows", "bytes"
        ),
    )?;
    for entry in &entries {
        let (rows, bytes) = (grouped(entry.rows), grouped(entry.bytes));
        let line = format!(
            "{:<12}{:<18}{rows:>14}{bytes:>16}  {}\n",
            entry.date, entry.table, entry.source
        );
        say(out, line)?;
    }
    Ok(DONE)
}
