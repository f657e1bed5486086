//! Commands over journals.

use serde_json::json;

use super::args::AuditCommand;
use super::{Context, Result, outcome_json, print};
use crate::config::AccountConfig;
use crate::core::State;
use crate::journal;
use crate::shell::folder::{Folder, RunFile};
use crate::shell::{Failure, code};
use crate::tables::Export;
use crate::targets::{hex, show_time};

pub(super) fn audit(
    context: &Context<'_>,
    account: &AccountConfig,
    command: &AuditCommand,
) -> Result<u8> {
    let folder = Folder::of(&context.config, account);
    match command {
        AuditCommand::List => list(context, &folder),
        AuditCommand::Show { run } => show(context, &folder, run.as_deref()),
        AuditCommand::Verify { run } => verify(context, &folder, run.as_deref()),
        AuditCommand::Export { run, out } => {
            let run = folder.run(run.as_deref())?;
            let export = Export::new(&run.contents, &run.state)?;
            let paths = export.write(out)?;
            for ((_, batch), path) in export.tables().iter().zip(&paths) {
                context.say(format_args!(
                    "{}: {} rows\n",
                    path.display(),
                    batch.num_rows()
                ));
            }
            let paths: Vec<String> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            context.tell(&json!({"run": run.file.name, "files": paths}));
            Ok(code::DONE)
        }
    }
}

fn list(context: &Context<'_>, folder: &Folder) -> Result<u8> {
    let mut runs = Vec::new();
    for file in folder.runs()? {
        let run = folder.run(Some(&file.name))?;
        let ending = run.state.outcome.as_ref();
        let word = ending.map_or("not ended", |outcome| outcome.ending.as_str());
        context.say(format_args!(
            "{}  {word}, {} records, {} orders\n",
            file.name,
            run.contents.entries.len(),
            run.state.orders.len()
        ));
        runs.push(json!({
            "run": file.name,
            "records": run.contents.entries.len(),
            "orders": run.state.orders.len(),
            "outcome": ending.map(outcome_json),
        }));
    }
    context.tell(&json!({"runs": runs}));
    Ok(code::DONE)
}

fn show(context: &Context<'_>, folder: &Folder, run: Option<&str>) -> Result<u8> {
    let run = folder.run(run)?;
    for entry in &run.contents.entries {
        let record = serde_json::to_string(&entry.record).unwrap_or_default();
        if context.args.json {
            print(serde_json::to_string(entry).unwrap_or_default());
        } else {
            context.say(format_args!(
                "{:>6}  {}  {record}\n",
                entry.seq,
                show_time(entry.ts)
            ));
        }
    }
    Ok(code::DONE)
}

/// Checks every byte of journals, and that what they say follows.
fn verify(context: &Context<'_>, folder: &Folder, only: Option<&str>) -> Result<u8> {
    let wanted = |file: &RunFile| only.is_none_or(|name| file.name == name);
    let files: Vec<RunFile> = folder.runs()?.into_iter().filter(wanted).collect();
    if files.is_empty() {
        return Err(Failure::NoRun {
            path: folder.path().to_owned(),
        });
    }
    let mut code = code::DONE;
    let mut results = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file.path)
            .map_err(|source| Failure::file("read", &file.path, source))?;
        let checked = journal::verify(&bytes)
            .and_then(|contents| State::replay(&contents.entries).map(|state| (contents, state)));
        match checked {
            Ok((contents, state)) => {
                let hash = hex(&contents.hash);
                let ended = if state.outcome.is_some() {
                    "ended"
                } else {
                    "not ended"
                };
                context.say(format_args!(
                    "{}: whole, {} records, {ended}, last hash {hash}\n",
                    file.name,
                    contents.entries.len()
                ));
                results.push(json!({"run": file.name, "whole": true, "hash": hash}));
            }
            Err(error) => {
                code = code::DIFFERS;
                context.say(format_args!("{}: {error}\n", file.name));
                let error = error.to_string();
                results.push(json!({"run": file.name, "whole": false, "error": error}));
            }
        }
    }
    context.tell(&json!({"runs": results}));
    Ok(code)
}
