//! Arguments of the command `nanobook`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use nanobook::Symbol;
use nanobook_arrow::{MAX_LEVELS, PriceType, TableSet};
use nanobook_itch::Framing;

use crate::{ReplayOptions, SessionDate, ShowProgress, Sort, parse_interval, parse_time_of_day};

/// Replays NASDAQ TotalView-ITCH 5.0 files into order books and writes Arrow tables.
#[derive(Debug, Parser)]
#[command(
    name = "nanobook",
    version,
    after_help = "Exit codes: 0 done; 1 a file or folder could not be read or written; 2 wrong arguments; \
                  3 verify saw faults; 130 interrupted."
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the tables of one or more days to Parquet
    #[command(after_long_help = REPLAY_HELP)]
    Replay(ReplayArgs),
    /// Build all books, report what is odd, write nothing
    #[command(
        after_help = "Example: nanobook verify 01302020.NASDAQ_ITCH50.gz\n\nExit code 3 when anything was odd."
    )]
    Verify(FilesArgs),
    /// Count messages, symbols and times without building books
    #[command(after_help = "Example: nanobook inspect 01302020.NASDAQ_ITCH50.gz")]
    Inspect(FilesArgs),
    /// Make a synthetic trading day, the same for the same seed
    #[command(
        after_help = "Example: nanobook synth --messages 20000000 01302020.NASDAQ_ITCH50\n\n\
                      A name that ends in .gz or .zst is packed; - is standard output."
    )]
    Synth(SynthArgs),
    /// List the days and tables of a dataset
    #[command(after_help = "Example: nanobook ls data")]
    Ls {
        /// The folder of the dataset
        dir: PathBuf,
    },
}

const REPLAY_HELP: &str = "Examples:
  nanobook replay --sample --out data
  nanobook replay 01302020.NASDAQ_ITCH50.gz --out data
  nanobook replay 0*.NASDAQ_ITCH50.gz --out data --tables bbo,trades,bars --bars 5m
  nanobook replay day.itch --date 2020-01-30 --out data --tables depth --depth 5 --every 1s --symbols AAPL,MSFT
  zcat 01302020.NASDAQ_ITCH50.gz | nanobook replay - --date 2020-01-30 --out data

A day is replaced as a whole, or stays as it was when the replay fails.";

/// How to read raw files.
#[derive(Debug, ClapArgs)]
pub(super) struct Reading {
    /// The sample day that is built in, instead of files
    #[arg(long)]
    pub(super) sample: bool,
    /// How messages are framed; found out unless named
    #[arg(long, value_enum)]
    framing: Option<FramingArg>,
    /// Take a file that ends in the middle of a message for as much as there is
    #[arg(long)]
    allow_truncated: bool,
    /// Threads that encode, besides those that read and keep books; 1 does everything in turn
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Draw no progress bar
    #[arg(long)]
    no_progress: bool,
}

impl Reading {
    pub(super) fn options(&self) -> ReplayOptions {
        let default = ReplayOptions::default();
        ReplayOptions {
            framing: self.framing.map(Framing::from),
            allow_truncated: self.allow_truncated,
            threads: self.threads.map_or(default.threads, usize::from),
            progress: if self.no_progress {
                ShowProgress::Never
            } else {
                ShowProgress::OnTerminal
            },
            ..default
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(super) struct FilesArgs {
    /// Raw ITCH 5.0 files, plain, gzip or zstd; - is standard input
    #[arg(required_unless_present = "sample", conflicts_with = "sample")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) reading: Reading,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ReplayArgs {
    /// Raw ITCH 5.0 files, plain, gzip or zstd; - is standard input
    #[arg(required_unless_present = "sample", conflicts_with = "sample")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Folder of the dataset
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Tables to write, or `all`
    #[arg(
        long,
        value_name = "TABLE,…",
        default_value = "bbo,trades,bars,imbalance,status,instruments,reg_sho,luld,mwcb,ipo,participants,rpii,direct_listing,system_events"
    )]
    tables: TableSet,
    /// Only rows of these symbols
    #[arg(long, value_name = "SYMBOL,…", value_delimiter = ',')]
    symbols: Vec<Symbol>,
    /// Only rows from this time on, in New York
    #[arg(long, value_name = "HH:MM[:SS]", value_parser = parse_time_of_day)]
    from: Option<u64>,
    /// Only rows before this time, in New York
    #[arg(long, value_name = "HH:MM[:SS]", value_parser = parse_time_of_day)]
    to: Option<u64>,
    /// Levels of each side in `depth`
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = parse_levels)]
    depth: usize,
    /// Depth at the end of every such interval in which it changed, instead of at every change
    #[arg(long, value_name = "INTERVAL", value_parser = parse_interval)]
    every: Option<u64>,
    /// Interval of `bars`
    #[arg(long, value_name = "INTERVAL", default_value = "1m", value_parser = parse_interval)]
    bars: u64,
    /// Day of the session, when the file's name does not tell it
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) date: Option<SessionDate>,
    /// Type of price columns: float, decimal or fixed
    #[arg(long, value_name = "TYPE", default_value = "float")]
    price_type: PriceType,
    /// Order of rows
    #[arg(long, value_enum, default_value_t = SortArg::Time)]
    sort: SortArg,
}

impl ReplayArgs {
    /// The options that the arguments say.
    pub(super) fn options(&self) -> ReplayOptions {
        let symbols: BTreeSet<Symbol> = self.symbols.iter().copied().collect();
        ReplayOptions {
            tables: self.tables,
            symbols: (!symbols.is_empty()).then_some(symbols),
            from_ns: self.from.unwrap_or(0),
            to_ns: self.to.unwrap_or(u64::MAX),
            depth: self.depth,
            every_ns: self.every,
            bars_ns: self.bars,
            price_type: self.price_type,
            sort: match self.sort {
                SortArg::Time => Sort::Time,
                SortArg::Symbol => Sort::Symbol,
            },
            ..self.reading.options()
        }
    }

    pub(super) fn use_sample(&self) -> bool {
        self.reading.sample
    }
}

#[derive(Debug, ClapArgs)]
pub(super) struct SynthArgs {
    /// File to write; its name should tell the day, as in `01302020.NASDAQ_ITCH50`
    pub(super) file: PathBuf,
    /// Messages of the day
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(super) messages: u64,
    /// Symbols of the directory
    #[arg(long, value_name = "N", default_value_t = 8907)]
    pub(super) symbols: u16,
    /// Same seed, same day
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FramingArg {
    /// Two bytes of length in front of every message, as NASDAQ writes it
    Length,
    /// Two zero bytes in front of every message
    Zero,
    /// Messages back to back
    None,
}

impl From<FramingArg> for Framing {
    fn from(arg: FramingArg) -> Self {
        match arg {
            FramingArg::Length => Self::Length,
            FramingArg::Zero => Self::Zero,
            FramingArg::None => Self::None,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SortArg {
    /// As they happened
    Time,
    /// By symbol: smaller, and one symbol is read fast
    Symbol,
}

fn parse_levels(text: &str) -> Result<usize, String> {
    let levels = text
        .parse()
        .ok()
        .filter(|levels| (1..=MAX_LEVELS).contains(levels));
    levels.ok_or_else(|| format!("{text:?} is no number of levels from 1 to {MAX_LEVELS}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use nanobook_arrow::TableId;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_default_tables_are_those_of_the_library() {
        let args = ["nanobook", "replay", "--sample", "--out", "x"];
        let Command::Replay(args) = Args::parse_from(args).command else {
            panic!("not a replay")
        };
        assert_eq!(args.options().tables, ReplayOptions::default().tables);
        assert!(!args.options().tables.contains(TableId::Mbo));
    }
}
