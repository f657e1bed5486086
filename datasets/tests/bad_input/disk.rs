//! Folders that cannot be written to, and disks that are full.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::*;

#[test]
fn an_output_folder_that_is_a_file_is_named() {
    let temporary = folder();
    let file = write(temporary.path(), NAME, &day(1, 100));
    let taken = write(temporary.path(), "taken", b"mine");
    for out in [taken.clone(), taken.join("data")] {
        replay(&file, &out, &[]).failed(1, &[&out.display().to_string(), "create folder"]);
    }
    assert_eq!(fs::read(&taken).unwrap(), b"mine");
    // A table's place, and the manifest's, that is a file.
    for name in ["bbo", "manifest"] {
        let out = temporary.path().join(format!("{name}.out"));
        fs::create_dir(&out).unwrap();
        write(&out, name, b"mine");
        replay(&file, &out, &[]).failed(1, &[&out.display().to_string()]);
        assert_eq!(fs::read(out.join(name)).unwrap(), b"mine");
        let hidden = fs::read_dir(&out).unwrap().flatten();
        assert!(
            hidden
                .into_iter()
                .all(|e| !e.file_name().to_string_lossy().starts_with('.'))
        );
    }
}

#[cfg(unix)]
#[test]
fn an_output_folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let temporary = folder();
    let file = write(temporary.path(), NAME, &day(1, 100));
    let out = temporary.path().join("data");
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o555)).unwrap();
    let (file, name) = (file.display().to_string(), out.display().to_string());
    let args = ["replay", &file, "--out", &name];
    if let Some(ran) = run_without_rights(&temporary, &args) {
        ran.failed(1, &[&name, "Permission denied"]);
        assert!(tree(&out).is_empty());
    }
}

/// A small file system in memory, unmounted at the end.
struct Small(PathBuf);

impl Small {
    /// `None`, with the reason printed, where it cannot be mounted.
    fn mount(place: &Path, options: &str) -> Option<Self> {
        fs::create_dir(place).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(place)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(place.to_path_buf())),
            Ok(output) => {
                println!(
                    "skipped: mount says {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                );
                None
            }
            Err(error) => {
                println!("skipped: there is no command mount ({error})");
                None
            }
        }
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(&self.0).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{} stays",
            self.0.display()
        );
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_days_on_it_stay() {
    let temporary = folder();
    let place = temporary.path().join("small");
    let Some(small) = Small::mount(&place, "size=1m") else {
        return;
    };
    let out = place.join("data");
    let file = write(temporary.path(), NAME, &day(1, 60_000));
    for threads in ["1", "2"] {
        for sort in ["time", "symbol"] {
            let all = ["--tables", "all", "--threads", threads, "--sort", sort];
            replay(&file, &out, &all).failed(1, &["No space left", &place.display().to_string()]);
            assert_nothing_left(&out);
        }
    }
    replay(&file, &out, &["--tables", "instruments,status"]).succeeded();
    let before = tree(&out);
    assert_eq!(before.len(), 3);
    replay(&file, &out, &["--tables", "all"]).failed(1, &["No space left"]);
    assert_eq!(tree(&out), before);
    // The next run that fits replaces the day.
    replay(&file, &out, &["--tables", "instruments"]).succeeded();
    assert_eq!(tree(&out).len(), 3);

    let synthetic = place.join(NAME);
    let name = synthetic.display().to_string();
    run(["synth", "--messages", "100000", &name]).failed(1, &["No space left", &name]);
    assert!(!synthetic.exists());
    assert!(
        fs::read_dir(&place)
            .unwrap()
            .flatten()
            .all(|entry| entry.path() == out)
    );
    drop(small);
}

#[test]
fn a_read_only_disk_is_an_error() {
    let temporary = folder();
    let place = temporary.path().join("small");
    let Some(small) = Small::mount(&place, "size=4m") else {
        return;
    };
    let out = place.join("data");
    let file = write(temporary.path(), NAME, &day(1, 1_000));
    replay(&file, &out, &[]).succeeded();
    let before = tree(&out);
    small.remount("ro");
    replay(&file, &out, &[]).failed(1, &["Read-only", &place.display().to_string()]);
    assert_eq!(tree(&out), before);
    small.remount("rw");
    drop(small);
}

/// What cannot be printed is an error too, unless nobody listens.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    for args in [
        vec!["synth", "-"],
        vec!["verify", "--sample"],
        vec!["inspect", "--sample"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command(args).stdout(Stdio::from(full)).output().unwrap();
        let ran = Ran::from(output);
        ran.failed(1, &["No space left"]);
    }
}
