//! Arguments of the command `rebalancer`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::config::BrokerName;

/// Brings an account to target weights, safely.
///
/// Without a configuration it works with a paper account and sample weights.
#[derive(Debug, Parser)]
#[command(name = "rebalancer", version, after_help = HELP)]
pub(super) struct Args {
    /// Configuration (TOML); `rebalancer.toml` when that is there
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The account's id; of a live account it says that you mean it
    #[arg(long, global = true, value_name = "ID")]
    pub(super) account: Option<String>,
    /// The broker, instead of the configuration's
    #[arg(long, global = true, value_enum)]
    pub(super) broker: Option<BrokerArg>,
    /// Results as JSON on standard output, logs as JSON on standard error
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Log warnings only
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

const HELP: &str = "Examples:
  rebalancer plan                                  the sample on a paper account; sends nothing
  rebalancer run --yes                             the same, carried out
  rebalancer sample portfolio                      a folder with weights, prices and a configuration to start from
  rebalancer --config portfolio/rebalancer.toml run
  rebalancer --broker ibkr --account DU1234567 plan --targets weights.parquet --svg plan.svg
  rebalancer audit verify && rebalancer audit export --out tables

Exit codes:
  0 done, or nothing to do             5 ended, and something is left       9 positions moved, nothing sent
  1 a file or the venue failed         6 to be looked at, then recovered   10 a check found a difference
  2 wrong arguments or targets         7 killed, or the switch is on      130 interrupted
  3 refused by the risk checks         8 another process has the account
  4 not confirmed, nothing sent";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BrokerArg {
    /// A paper account in a file
    Paper,
    /// Interactive Brokers
    Ibkr,
    /// Binance spot
    Binance,
}

impl From<BrokerArg> for BrokerName {
    fn from(arg: BrokerArg) -> Self {
        match arg {
            BrokerArg::Paper => Self::Paper,
            BrokerArg::Ibkr => Self::Ibkr,
            BrokerArg::Binance => Self::Binance,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what would be traded, and what the risk checks say; sends nothing
    #[command(
        after_help = "Example: rebalancer plan --targets weights.parquet --out plan.parquet --svg plan.svg"
    )]
    Plan(PlanArgs),
    /// Plan, check, ask, and trade; a second start for the same targets does nothing
    #[command(
        after_help = "Example, from cron: rebalancer --config live.toml --account U1234567 --json run --yes"
    )]
    Run(RunArgs),
    /// How the last run stands, from its journal
    #[command(after_help = "Example: rebalancer status --json")]
    Status,
    /// What the broker says the account holds
    #[command(after_help = "Example: rebalancer positions")]
    Positions,
    /// Compare the account with the targets and with the journal; sends nothing
    #[command(after_help = "Example: rebalancer reconcile || echo look")]
    Reconcile(TargetsArgs),
    /// Go on with a run that was not ended
    #[command(after_help = "Example: rebalancer recover --dry-run")]
    Recover {
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Turn the kill switch on: a run cancels its orders and ends, and none begins
    #[command(after_help = "Examples: rebalancer kill; later: rebalancer kill --reset")]
    Kill {
        /// Turn it off again
        #[arg(long)]
        reset: bool,
        /// How long to wait for a run to end, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u64,
    },
    /// Look at journals
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Write weights, prices and a configuration to start from
    #[command(
        after_help = "Example: rebalancer sample portfolio && rebalancer --config portfolio/rebalancer.toml run"
    )]
    Sample {
        /// The folder
        dir: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct TargetsArgs {
    /// Target weights: Parquet, Arrow IPC, CSV or JSON, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    pub(super) targets: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) from: TargetsArgs,
    /// Show every row
    #[arg(long)]
    pub(super) all: bool,
    /// Write the plan as a table
    #[arg(long, value_name = "FILE.parquet")]
    pub(super) out: Option<PathBuf>,
    /// Write the plan as a picture
    #[arg(long, value_name = "FILE.svg")]
    pub(super) svg: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) plan: PlanArgs,
    /// Show the plan, and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Don't ask; a live account needs its id in --account then
    #[arg(long)]
    pub(super) yes: bool,
    /// Plan anew though these targets were reached before
    #[arg(long)]
    pub(super) again: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List the runs
    #[command(after_help = "Example: rebalancer audit list")]
    List,
    /// Print the records of a run
    #[command(after_help = "Example: rebalancer audit show | less")]
    Show {
        /// The run; the last one unless given
        run: Option<String>,
    },
    /// Check every byte of all journals
    #[command(
        after_help = "Example: rebalancer audit verify; a changed byte gives exit code 10 and its place"
    )]
    Verify {
        /// The run; all of them unless given
        run: Option<String>,
    },
    /// Write the journal, orders, fills, positions, accounts and risk checks as Parquet
    #[command(after_help = "Example: rebalancer audit export --out tables")]
    Export {
        /// The run; the last one unless given
        run: Option<String>,
        /// The folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}
