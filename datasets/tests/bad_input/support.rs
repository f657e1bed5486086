//! Runs of the command, small feeds, and what is in a folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::write::GzEncoder;
use nanobook_itch::synth::{Config, Day};
use tempfile::TempDir;

/// A name that tells its day.
pub(crate) const NAME: &str = "01302020.NASDAQ_ITCH50";
/// That day.
pub(crate) const DATE: &str = "2020-01-30";

/// What a run of the command said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("the command writes text"),
            stderr: String::from_utf8(output.stderr).expect("the command writes text"),
        }
    }
}

impl Ran {
    /// It went well and had nothing to complain of.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert_eq!(self.stderr, "", "{self:?}");
        self
    }

    /// It ended with a code and one line that has all these words in it.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        assert!(self.stderr.starts_with("nanobook: "), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {self:?}");
        }
        self
    }

    /// The arguments were wrong, and it says what to do, with all these words.
    #[track_caller]
    pub(crate) fn refused(self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {self:?}");
        }
    }
}

/// The command with its arguments, to be started.
pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanobook"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the command.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    command(args).output().expect("the command starts").into()
}

/// Replays a file into a folder.
pub(crate) fn replay(file: &Path, out: &Path, more: &[&str]) -> Ran {
    let mut args: Vec<&OsStr> = vec![
        "replay".as_ref(),
        file.as_ref(),
        "--out".as_ref(),
        out.as_ref(),
    ];
    args.extend(more.iter().map(OsStr::new));
    run(args)
}

/// The same as somebody who may not do everything, if this user may; `None`, with the reason printed, where that can't
/// be.
#[cfg(unix)]
pub(crate) fn run_without_rights(folder: &TempDir, args: &[&str]) -> Option<Ran> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    /// The user `nobody`, who owns nothing.
    const NOBODY: u32 = 65_534;

    let mut command = command(args);
    let metadata = fs::metadata(folder.path()).expect("it was just made");
    if metadata.uid() == 0 {
        // The way to what is in the folder is open, so that only the end of it is not.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("it was just made");
        command.uid(NOBODY).gid(NOBODY);
    }
    match command.output() {
        Ok(output) => Some(output.into()),
        Err(error) => {
            println!("skipped: user {NOBODY} can't run the command ({error})");
            None
        }
    }
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// Writes a file and returns where it is.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a temporary folder can be written to");
    path
}

/// A synthetic day of three stocks.
pub(crate) fn day(seed: u64, messages: u64) -> Vec<u8> {
    let config = Config {
        seed,
        messages,
        symbols: 3,
        ..Config::default()
    };
    let mut bytes = Vec::new();
    Day::new(config)
        .write_to(&mut bytes)
        .expect("a vector takes everything");
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).expect("a vector takes everything");
    packed.finish().expect("a vector takes everything")
}

/// With the checksum that `zstd` writes.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut packed = zstd::Encoder::new(Vec::new(), 3).expect("level 3 is one");
    packed
        .include_checksum(true)
        .expect("a checksum can be asked for");
    packed.write_all(bytes).expect("a vector takes everything");
    packed.finish().expect("a vector takes everything")
}

/// Every file under a folder with its bytes, by its path from there; hidden folders too.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .expect("it is in the folder")
                    .to_path_buf();
                files.insert(name, fs::read(&path).expect("a file can be read"));
            }
        }
    }
    files
}

/// Asserts that a failed run left no folder of its own behind.
#[track_caller]
pub(crate) fn assert_nothing_left(out: &Path) {
    assert!(
        !out.exists(),
        "{} is there with {:?}",
        out.display(),
        tree(out).keys()
    );
}

/// Bytes that look random and are the same every time (splitmix64, Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_be_bytes()[0]).collect()
    }
}
