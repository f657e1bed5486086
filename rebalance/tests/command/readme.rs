//! The commands of the README's section on the rebalancer, run as they stand.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Done, REBALANCER};

#[test]
fn the_commands_of_the_readme_run_as_they_stand() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let section = text.split("\n## Rebalance\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let block = section.split("```bash\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = Path::new(REBALANCER).parent().unwrap().to_str().unwrap();
    let path = format!("{path}:{}", std::env::var("PATH").unwrap_or_default());
    let mut commands = 0;
    for line in block.lines().filter(|line| line.starts_with("rebalancer ")) {
        commands += 1;
        let output = Command::new("sh")
            .current_dir(folder.path())
            .env("PATH", &path)
            .args(["-c", line])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let done = Done::of(&output);
        assert_eq!(done.code, 0, "{line}: {done:?}");
        assert!(!done.out.is_empty(), "{line} says nothing");
    }
    assert!(commands >= 8, "{commands} commands");
}
