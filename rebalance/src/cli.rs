//! The command `rebalancer`.

mod args;
mod audit;
mod look;
mod trade;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};

use self::args::{Args, Command, TargetsArgs};
use crate::config::{AccountConfig, BrokerName, Config, Mode};
use crate::core::{Ending, Outcome};
use crate::sample;
use crate::shell::drive::take_signals;
use crate::shell::folder::Folder;
use crate::shell::log::{Format, Log, now};
use crate::shell::{Failure, code};
use crate::targets::{self, Targets};

/// What a part of the command gives.
type Result<T> = std::result::Result<T, Failure>;

/// The configuration that is looked for when none is named.
const CONFIG: &str = "rebalancer.toml";

/// Runs the command with the arguments of the process.
pub fn run() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os()))
}

/// Runs the command with these arguments, of which the first is its name, and returns its exit code. It takes over SIGINT
/// and SIGTERM.
pub fn run_with(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(code::WRONG);
        }
    };
    take_signals();
    let format = match (args.quiet, args.json) {
        (true, _) => Format::Quiet,
        (false, true) => Format::Json,
        (false, false) => Format::Text,
    };
    let log = Log { format };
    match start(&args, log) {
        Ok(code) => code,
        Err(failure) => {
            complain(&args, &failure);
            failure.code()
        }
    }
}

/// Says what went wrong: a sentence for people, an object for machines.
fn complain(args: &Args, failure: &Failure) {
    let _ = writeln!(std::io::stderr(), "rebalancer: {failure}");
    if args.json {
        print(json!({"error": failure.to_string(), "code": failure.code()}));
    }
}

/// What all commands need.
struct Context<'a> {
    config: Config,
    accounts: Vec<AccountConfig>,
    args: &'a Args,
    log: Log,
}

fn start(args: &Args, log: Log) -> Result<u8> {
    if let Command::Sample { dir } = &args.command {
        return write_sample(dir, args.json);
    }
    let mut config = match &args.config {
        Some(path) => Config::from_file(path)?,
        None if Path::new(CONFIG).exists() => Config::from_file(Path::new(CONFIG))?,
        None => Config::default(),
    };
    if let Some(broker) = args.broker {
        let broker = BrokerName::from(broker);
        config.account.broker = broker;
        config.accounts.retain(|account| account.broker == broker);
    }
    let accounts = config.accounts_named(args.account.as_deref())?;
    let context = Context {
        config,
        accounts,
        args,
        log,
    };
    match &args.command {
        Command::Plan(args) => context.each(|account| trade::plan(&context, account, args)),
        Command::Run(args) => context.each(|account| trade::run(&context, account, args)),
        Command::Recover { dry_run } => {
            context.each(|account| trade::recover(&context, account, *dry_run))
        }
        Command::Status => context.each(|account| look::status(&context, account)),
        Command::Positions => context.each(|account| look::positions(&context, account)),
        Command::Reconcile(args) => {
            context.each(|account| look::reconcile(&context, account, args))
        }
        Command::Kill { reset, wait } => {
            context.each(|account| trade::kill(&context, account, *reset, *wait))
        }
        Command::Audit(command) => context.each(|account| audit::audit(&context, account, command)),
        Command::Sample { .. } => Ok(code::DONE),
    }
}

impl Context<'_> {
    /// Does something for each account; one that fails does not keep the others from theirs. The worst code counts.
    fn each(&self, what: impl Fn(&AccountConfig) -> Result<u8>) -> Result<u8> {
        if let [account] = &self.accounts[..] {
            return what(account);
        }
        let mut worst = code::DONE;
        for account in &self.accounts {
            self.say(format_args!(
                "== {} {}\n",
                account.broker.venue(),
                account.id
            ));
            let code = what(account).unwrap_or_else(|failure| {
                complain(self.args, &failure);
                failure.code()
            });
            worst = worst.max(code);
        }
        Ok(worst)
    }

    /// Prints for people, unless a machine reads.
    fn say(&self, text: impl Display) {
        if !self.args.json {
            // A reader that goes away does not stop what was begun.
            let _ = write!(std::io::stdout().lock(), "{text}");
            let _ = std::io::stdout().flush();
        }
    }

    /// Prints for machines, when one reads.
    fn tell(&self, value: &Value) {
        if self.args.json {
            print(value);
        }
    }

    fn folder(&self, account: &AccountConfig) -> Result<Folder> {
        Folder::open(&self.config, account)
    }

    /// The targets of an account: of a file, or the sample.
    fn targets(&self, account: &AccountConfig, args: &TargetsArgs) -> Result<Targets> {
        let configured = self.config.targets.file.as_ref();
        let path: Option<PathBuf> = match &args.targets {
            Some(path) => Some(path.clone()),
            None => configured.map(|path| self.config.path(path)),
        };
        let Some(path) = path else {
            if account.broker != BrokerName::Paper || account.mode == Mode::Live {
                return Err(Failure::Setting {
                    detail: "there are no targets; name a file with --targets, or targets.file in the configuration"
                        .to_owned(),
                });
            }
            return Ok(sample::targets(now()));
        };
        let mut all = targets::read(&path)?;
        let of_account = all
            .iter()
            .position(|targets| targets.account_id.as_deref() == Some(account.id.as_str()));
        let only = (all.len() == 1 && all[0].account_id.is_none()).then_some(0);
        match of_account.or(only) {
            Some(at) => Ok(all.swap_remove(at)),
            None => Err(Failure::Setting {
                detail: format!(
                    "{}: there are no targets for the account {:?}; name it in the column account_id, or choose another \
                     with --account",
                    path.display(),
                    account.id
                ),
            }),
        }
    }
}

fn print(value: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{value}");
}

/// The exit code of an outcome.
const fn ending_code(ending: Ending) -> u8 {
    match ending {
        Ending::Done => code::DONE,
        Ending::Residual => code::RESIDUAL,
        Ending::Killed => code::KILLED,
        Ending::Review => code::REVIEW,
        Ending::Stale => code::STALE,
    }
}

/// An outcome as an object.
fn outcome_json(outcome: &Outcome) -> Value {
    let residuals: Vec<Value> = outcome
        .residuals
        .iter()
        .map(|left| {
            json!({
                "symbol": left.symbol.as_str(),
                "side": left.side.sign(),
                "qty": left.qty.to_string(),
                "why": left.end,
            })
        })
        .collect();
    json!({"ending": outcome.ending.as_str(), "left": residuals})
}

/// Files to start from.
fn write_sample(dir: &Path, as_json: bool) -> Result<u8> {
    const CONFIGURATION: &str = include_str!("../data/rebalancer.toml");
    std::fs::create_dir_all(dir).map_err(|e| Failure::file("make folder", dir, e))?;
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        if path.exists() {
            return Err(Failure::Setting {
                detail: format!("{}: it is there already and stays as it is", path.display()),
            });
        }
        std::fs::write(&path, text).map_err(|e| Failure::file("write", &path, e))
    };
    write(CONFIG, CONFIGURATION)?;
    let mut prices = String::from("symbol,price\n");
    for row in sample::rows() {
        // Writing to a text can't fail.
        let _ =
            std::fmt::Write::write_fmt(&mut prices, format_args!("{},{}\n", row.symbol, row.price));
    }
    write("prices.csv", &prices)?;
    let weights = dir.join("weights.parquet");
    crate::tables::write_targets(&weights, &sample::targets(now()))?;
    if as_json {
        print(json!({"folder": dir.display().to_string()}));
    } else {
        print(format_args!(
            "wrote {CONFIG}, prices.csv and weights.parquet to {}; the prices are made up\n\
             next: rebalancer --config {} plan",
            dir.display(),
            dir.join(CONFIG).display()
        ));
    }
    Ok(code::DONE)
}
