//! Commands that trade, or say what they would.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use nanobook_risk::RiskEngine;
use serde_json::{Value, json};

use super::args::{PlanArgs, RunArgs};
use super::{Context, Result, ending_code, outcome_json};
use crate::config::{AccountConfig, Mode};
use crate::core::{Core, Ending, Outcome, State};
use crate::journal::Journal;
use crate::sample;
use crate::shell::day::Past;
use crate::shell::drive::{Clock, Drive, is_interrupted};
use crate::shell::folder::{Folder, Run};
use crate::shell::log::now;
use crate::shell::prepare::{Prepared, limits, prepare, running_limits};
use crate::shell::venue::{self, Venue};
use crate::shell::{Failure, code};
use crate::show::{Amount, Confirmation, Length, Table, svg};
use crate::tables;
use crate::targets::{Constraints, Targets};

pub(super) fn plan(context: &Context<'_>, account: &AccountConfig, args: &PlanArgs) -> Result<u8> {
    let targets = context.targets(account, &args.from)?;
    crate::shell::prepare::check(&context.config, &targets)?;
    let folder = context.folder(account)?;
    // A paper account has one process at a time, and a plan that changes under our hands is none.
    let _lock = folder.lock()?;
    let mut venue = Venue::start(venue::open(&context.config, account, folder.path())?);
    let past = Past::of(&folder, &context.config, now())?;
    let prepared = prepare(&context.config, account, &targets, &mut venue, &past)?;
    show(context, &prepared, args)?;
    context.tell(&plan_json(&prepared, &targets));
    Ok(if refuses(&prepared) {
        code::RISK
    } else {
        code::DONE
    })
}

/// Whether the risk checks refuse the orders that there are.
fn refuses(prepared: &Prepared) -> bool {
    prepared.plan.orders().next().is_some() && !prepared.report.passed()
}

/// Shows a plan and writes it where it was asked for.
fn show(context: &Context<'_>, prepared: &Prepared, args: &PlanArgs) -> Result<()> {
    let length = if args.all {
        Length::Full
    } else {
        Length::Short
    };
    context.say(Table::new(&prepared.plan, length));
    if prepared.plan.orders().next().is_some() {
        context.say(format_args!("risk: {}\n", Brief(prepared)));
    }
    if let Some(path) = &args.out {
        tables::write_parquet(path, &tables::plan(&prepared.plan)?)?;
    }
    if let Some(path) = &args.svg {
        std::fs::write(path, svg(&prepared.plan)).map_err(|e| Failure::file("write", path, e))?;
    }
    Ok(())
}

/// What the risk checks found: a line, and the first rows that don't hold.
struct Brief<'a>(&'a Prepared);

impl std::fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 10;
        let report = &self.0.report;
        write!(
            f,
            "{} checks, {} failed, {} warned",
            report.len(),
            report.failed(),
            report.warned()
        )?;
        let breaches = report.failed() + report.warned();
        for breach in report.breaches().take(SHOWN) {
            write!(f, "\n  {breach}")?;
        }
        if breaches > SHOWN {
            write!(f, "\n  and {} more", breaches - SHOWN)?;
        }
        Ok(())
    }
}

fn plan_json(prepared: &Prepared, targets: &Targets) -> Value {
    let plan = &prepared.plan;
    let orders: Vec<Value> = plan
        .orders()
        .map(|order| {
            json!({
                "symbol": order.symbol.as_str(),
                "side": order.side.sign(),
                "qty": order.qty.to_string(),
                "limit": order.limit.to_string(),
                "notional": order.notional(),
            })
        })
        .collect();
    let breaches: Vec<String> = prepared.report.breaches().collect();
    json!({
        "account": plan.account_id,
        "paper": prepared.seen.session.is_paper,
        "targets": targets.id(),
        "equity": plan.equity,
        "cash": plan.cash.to_string(),
        "cash_after": plan.cash_after,
        "leverage": plan.leverage,
        "leverage_after": plan.leverage_after,
        "turnover": plan.turnover(),
        "cost": plan.cost(),
        "orders": orders,
        "unmet": plan.unmet().map(|row| row.symbol.to_string()).collect::<Vec<_>>(),
        "remarks": plan.remarks,
        "risk": {
            "checks": prepared.report.len(),
            "failed": prepared.report.failed(),
            "warned": prepared.report.warned(),
            "breaches": breaches,
        },
    })
}

pub(super) fn run(context: &Context<'_>, account: &AccountConfig, args: &RunArgs) -> Result<u8> {
    let targets = context.targets(account, &args.plan.from)?;
    crate::shell::prepare::check(&context.config, &targets)?;
    let folder = context.folder(account)?;
    let _lock = folder.lock()?;
    let killed = folder.is_killed();
    if killed && !args.dry_run {
        return Err(Failure::KillSwitch {
            path: folder.kill_path(),
        });
    }
    if let Some(last) = folder.last_run()? {
        if is_unfinished(&last.state) {
            return Err(Failure::Unfinished {
                run: last.file.name,
            });
        }
        if !args.again && is_reached(&last, &targets) {
            context.say(format_args!(
                "nothing to do: run {} has reached these targets; --again plans anew\n",
                last.file.name
            ));
            context.tell(&json!({"ending": "done", "run": last.file.name, "already": true}));
            return Ok(code::DONE);
        }
    }
    let config = &context.config;
    let mut venue = Venue::start(venue::open(config, account, folder.path())?);
    let past = Past::of(&folder, config, now())?;
    let prepared = prepare(config, account, &targets, &mut venue, &past)?;
    show(context, &prepared, &args.plan)?;
    if args.dry_run {
        context.tell(&plan_json(&prepared, &targets));
        return Ok(if refuses(&prepared) {
            code::RISK
        } else {
            code::DONE
        });
    }
    if refuses(&prepared) {
        context.tell(&plan_json(&prepared, &targets));
        return Err(Failure::Risk {
            failed: prepared.report.failed(),
        });
    }
    let has_orders = prepared.plan.orders().next().is_some();
    if has_orders {
        confirm(context, account, &prepared, args.yes)?;
    }
    if is_interrupted() {
        return Err(Failure::Interrupted);
    }
    // What could not be traded now is planned anew by the next start.
    let suffix = if prepared.plan.reaches() { "" } else { ".part" };
    let file = folder.new_run(&format!("{}{suffix}", targets.id()), now())?;
    let approved = prepared.approved(config, &venue, &file.name);
    let checks = prepared.report.table(now(), &file.name);
    let engine = RiskEngine::new(running_limits(limits(config, &targets)));
    let (mut journal, _) = Journal::open_file(&file.path)?;
    let clock = Clock::default();
    let (mut core, commands) = Core::start(approved, checks, engine, clock.now())?;
    let outcome = Drive {
        venue: &venue,
        journal: &mut journal,
        folder: &folder,
        clock,
        log: context.log,
    }
    .run(&mut core, commands)?;
    Ok(report(context, &file.name, core.state(), &outcome))
}

/// Whether a run was begun and neither ended nor given up knowing what is left.
fn is_unfinished(state: &State) -> bool {
    let ending = state.outcome.as_ref().map(|outcome| outcome.ending);
    matches!(ending, None | Some(Ending::Review))
}

/// Whether a run has reached these targets.
fn is_reached(run: &Run, targets: &Targets) -> bool {
    let done = run.state.outcome.as_ref().map(|outcome| outcome.ending) == Some(Ending::Done);
    done && run.file.targets_id() == targets.id()
}

/// Asks whether the orders may be sent; a live account needs its id, typed or given.
fn confirm(
    context: &Context<'_>,
    account: &AccountConfig,
    prepared: &Prepared,
    yes: bool,
) -> Result<()> {
    let is_live = account.mode == Mode::Live || !prepared.seen.session.is_paper;
    let id = &prepared.seen.session.account_id;
    let given = context.args.account.as_deref() == Some(id.as_str());
    if yes && (!is_live || given) {
        return Ok(());
    }
    let risk = Brief(prepared).to_string();
    let question = Confirmation {
        plan: &prepared.plan,
        broker: account.broker.venue().as_str(),
        is_live,
        risk: &risk,
    };
    let mut terminal = std::io::stderr();
    let asks = std::io::stdin().is_terminal();
    if !asks {
        return Err(Failure::NoTerminal { live: is_live });
    }
    let _ = write!(terminal, "\n{question}\n");
    let _ = if is_live {
        write!(terminal, "type {id} to send: ")
    } else {
        write!(terminal, "send these orders? [y/N] ")
    };
    let _ = terminal.flush();
    let line = typed()?;
    let answer = line.trim();
    let is_yes = ["y", "yes"].contains(&answer.to_ascii_lowercase().as_str());
    if (is_live && answer == id) || (!is_live && is_yes) {
        Ok(())
    } else {
        Err(Failure::NotConfirmed)
    }
}

/// A line that somebody types; empty when the input ends instead.
fn typed() -> Result<String> {
    let (tell, told) = mpsc::channel();
    // A read goes on after a signal, so it is a thread that waits: the process ends without it.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = tell.send(read.map(|_| line).unwrap_or_default());
    });
    loop {
        match told.recv_timeout(Duration::from_millis(50)) {
            _ if is_interrupted() => {
                let _ = writeln!(std::io::stderr());
                return Err(Failure::Interrupted);
            }
            Ok(line) => return Ok(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(String::new()),
        }
    }
}

/// Says how a run ended.
fn report(context: &Context<'_>, name: &str, state: &State, outcome: &Outcome) -> u8 {
    let fills: usize = state.orders.iter().map(|order| order.fills.len()).sum();
    let traded: f64 = state
        .orders
        .iter()
        .flat_map(|order| order.fills.values())
        .map(|fill| fill.qty.as_f64() * fill.price.as_f64())
        .sum();
    context.say(format_args!(
        "run {name}: {}, {} orders, {fills} fills, {} traded\n",
        outcome.ending.as_str(),
        state.orders.len(),
        Amount(traded)
    ));
    for left in &outcome.residuals {
        context.say(format_args!(
            "  left: {} {} {}, {}\n",
            if left.side == nanobook::Side::Buy {
                "buy"
            } else {
                "sell"
            },
            left.qty,
            left.symbol,
            left.end
        ));
    }
    let mut value = outcome_json(outcome);
    value["run"] = json!(name);
    value["orders"] = json!(state.orders.len());
    value["fills"] = json!(fills);
    value["traded"] = json!(traded);
    context.tell(&value);
    if is_interrupted() && outcome.ending == Ending::Killed {
        code::INTERRUPTED
    } else {
        ending_code(outcome.ending)
    }
}

pub(super) fn recover(context: &Context<'_>, account: &AccountConfig, dry_run: bool) -> Result<u8> {
    let folder = context.folder(account)?;
    let _lock = folder.lock()?;
    let Some(last) = folder.last_run()? else {
        context.say("nothing to recover: there is no run\n");
        context.tell(&json!({"ending": "done", "recovered": false}));
        return Ok(code::DONE);
    };
    if !is_unfinished(&last.state) {
        context.say(format_args!(
            "nothing to recover: run {} has ended\n",
            last.file.name
        ));
        context.tell(&json!({"run": last.file.name, "recovered": false}));
        return Ok(code::DONE);
    }
    if dry_run {
        let open = last.state.orders.iter().filter(|order| order.may_trade());
        let open: Vec<String> = open
            .map(|order| format!("{} {}", order.order.client_order_id, order.state))
            .collect();
        context.say(format_args!(
            "run {} would go on; {} orders are to be looked for\n",
            last.file.name,
            open.len()
        ));
        context.tell(&json!({"run": last.file.name, "open": open}));
        return Ok(code::DONE);
    }
    resume(context, account, &folder, &last)
}

/// Goes on with a run that was not ended.
fn resume(
    context: &Context<'_>,
    account: &AccountConfig,
    folder: &Folder,
    run: &Run,
) -> Result<u8> {
    let config = &context.config;
    let venue = Venue::start(venue::open(config, account, folder.path())?);
    let (mut journal, contents) = Journal::open_file(&run.file.path)?;
    if contents.torn_bytes > 0 {
        context.log.warn(
            "the journal's last record was cut short and is left out",
            &[("bytes", &contents.torn_bytes)],
        );
    }
    let state = State::replay(&contents.entries)?;
    // The file of targets may be gone; what it tightened was looked at before approval.
    let none = Targets {
        constraints: Constraints::default(),
        ..sample::targets(now())
    };
    let engine = RiskEngine::new(running_limits(limits(config, &none)));
    let clock = Clock::default();
    let (mut core, commands) = Core::resume(state, engine, clock.now())?;
    let outcome = Drive {
        venue: &venue,
        journal: &mut journal,
        folder,
        clock,
        log: context.log,
    }
    .run(&mut core, commands)?;
    Ok(report(context, &run.file.name, core.state(), &outcome))
}

pub(super) fn kill(
    context: &Context<'_>,
    account: &AccountConfig,
    reset: bool,
    wait_s: u64,
) -> Result<u8> {
    let folder = context.folder(account)?;
    if reset {
        folder.reset_kill()?;
        context.say("the kill switch is off\n");
        context.tell(&json!({"kill_switch": false}));
        return Ok(code::DONE);
    }
    folder.kill()?;
    context.say(format_args!(
        "the kill switch is on ({}); `rebalancer kill --reset` turns it off\n",
        folder.kill_path().display()
    ));
    let deadline = Instant::now() + Duration::from_secs(wait_s);
    let lock = loop {
        match folder.lock() {
            Ok(lock) => break lock,
            Err(Failure::Busy { path }) if Instant::now() >= deadline => {
                return Err(Failure::Busy { path });
            }
            Err(Failure::Busy { .. }) => std::thread::sleep(Duration::from_millis(50)),
            Err(failure) => return Err(failure),
        }
    };
    // A run whose process is gone may have orders at the venue: it is taken up, and ended at once.
    if let Some(last) = folder.last_run()?
        && is_unfinished(&last.state)
    {
        let code = resume(context, account, &folder, &last)?;
        drop(lock);
        return Ok(if code == code::KILLED {
            code::DONE
        } else {
            code
        });
    }
    context.say("nothing of ours is working\n");
    context.tell(&json!({"kill_switch": true}));
    Ok(code::DONE)
}
