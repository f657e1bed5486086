//! What no lint checks: which crate may import which, and where words and sizes have their limits.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates and what of ours each may depend on, dev-dependencies aside. Whoever adds an arrow here changes the
/// architecture and says so in `ARCHITECTURE.md`.
const ARROWS: &[(&str, &[&str])] = &[
    ("nanobook", &[]),
    ("itch", &["nanobook"]),
    ("arrowio", &["nanobook"]),
    ("broker", &["nanobook"]),
    ("risk", &["nanobook"]),
    (
        "rebalance",
        &[
            "nanobook",
            "nanobook-arrow",
            "nanobook-broker",
            "nanobook-risk",
        ],
    ),
    ("datasets", &["nanobook", "nanobook-itch", "nanobook-arrow"]),
    (
        "py",
        &[
            "nanobook",
            "nanobook-itch",
            "nanobook-arrow",
            "nanobook-datasets",
            "nanobook-broker",
            "nanobook-risk",
        ],
    ),
    (
        "benches",
        &[
            "nanobook",
            "nanobook-itch",
            "nanobook-arrow",
            "nanobook-datasets",
            "nanobook-risk",
        ],
    ),
];

/// The one file that may say `unsafe`: memory arrives from Python as pointers.
const UNSAFE: &str = "py/src/capsule.rs";

/// Most lines of a source file, its tests aside.
const MOST_LINES: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// All files below a folder with one of the endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if path.is_dir() && !hidden && entry.file_name() != "target" {
            found.extend(files(&path, endings));
        } else if endings
            .iter()
            .any(|ending| path.extension().is_some_and(|e| e == *ending))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The names under `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]";
        } else if inside && let Some((name, _)) = line.split_once('=') {
            names.push(name.trim().trim_end_matches(".workspace").to_owned());
        }
    }
    names
}

/// The part of a file above its inline tests.
fn above_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod ")
        .map_or(text, |at| &text[..at])
}

#[test]
fn crates_import_along_the_arrows() {
    let workspace = read(&root().join("Cargo.toml"));
    let members: Vec<&str> = ARROWS.iter().map(|(folder, _)| *folder).collect();
    for folder in &members {
        assert!(
            workspace.contains(&format!("\"{folder}\"")),
            "{folder} is no member"
        );
    }
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for (folder, allowed) in allowed {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        let ours = dependencies(&manifest)
            .into_iter()
            .filter(|name| name.starts_with("nanobook"));
        for name in ours.filter(|name| name != "nanobook_classic") {
            assert!(
                allowed.contains(&name.as_str()),
                "{folder} may not depend on {name}"
            );
        }
    }
}

#[test]
fn arrow_and_nanobook_are_imported_where_they_may_be() {
    for folder in ["nanobook", "itch", "broker", "risk"] {
        for file in files(&root().join(folder).join("src"), &["rs"]) {
            let text = read(&file);
            for word in ["arrow_", "parquet::"] {
                assert!(
                    !text.contains(&format!("use {word}")),
                    "{}: use {word}",
                    file.display()
                );
            }
        }
    }
    let replay = root().join("itch/src/replay");
    for file in files(&root().join("itch/src"), &["rs"]) {
        let may = file.starts_with(&replay) || file.with_extension("") == replay;
        let imports = read(&file)
            .lines()
            .any(|line| line.starts_with("use nanobook::"));
        assert!(
            may || !imports,
            "{}: only replay may use nanobook",
            file.display()
        );
    }
}

#[test]
fn no_source_file_is_too_long() {
    for (folder, _) in ARROWS {
        for file in files(&root().join(folder), &["rs", "py", "pyi"]) {
            let lines = above_tests(&read(&file)).lines().count();
            assert!(lines <= MOST_LINES, "{}: {lines} lines", file.display());
        }
    }
}

#[test]
fn no_crate_has_unsafe_code() {
    for (folder, _) in ARROWS {
        for file in files(&root().join(folder).join("src"), &["rs"]) {
            if file.ends_with(UNSAFE) {
                continue;
            }
            let text = read(&file);
            let unsafe_line = text.lines().find(|line| {
                let code = line.trim_start();
                !code.starts_with("//") && code.split_whitespace().any(|word| word == "unsafe")
            });
            assert_eq!(unsafe_line, None, "{}", file.display());
        }
    }
}

#[test]
fn every_table_stands_in_the_table_of_tables() {
    let doc = read(&root().join("arrowio/src/lib.rs"));
    for file in files(&root().join("arrowio/src/tables"), &["rs"]) {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        assert!(
            doc.contains(&format!("`{name}`")),
            "arrowio's crate doc does not name {name}"
        );
    }
}

#[test]
fn every_crate_folder_is_in_the_architecture() {
    let architecture = read(&root().join("ARCHITECTURE.md"));
    for (folder, _) in ARROWS {
        assert!(
            architecture.contains(&format!("`{folder}/`")),
            "ARCHITECTURE.md lacks {folder}/"
        );
    }
}
