//! Synthetic days as files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use nanobook_itch::synth::{Config, Day};

use crate::unfinished::Unfinished;
use crate::{Error, Result, Stop};

/// Writes a synthetic day, packed if the name ends in `.gz` or `.zst`, to standard output for `-`; says how many bytes
/// it has unpacked.
///
/// The file appears when it is whole.
///
/// # Errors
/// When the file can't be written, or `stop` is asked for.
pub fn synthesize(config: Config, path: &Path, stop: &Stop) -> Result<u64> {
    let error = |e: io::Error| match e.kind() {
        _ if stop.is_asked() => Error::Interrupted,
        _ => Error::io("write", path, e),
    };
    if path == Path::new("-") {
        return write(config, BufWriter::new(io::stdout().lock()), stop).map_err(error);
    }
    let mut hidden = path.file_name().unwrap_or_default().to_owned();
    hidden.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(hidden);
    let unfinished = Unfinished::new(&temporary, None);
    let packing = path.extension().and_then(|extension| extension.to_str());
    let result = write_file(config, &temporary, packing, stop).and_then(|bytes| {
        unfinished
            .finish(|| fs::rename(&temporary, path))
            .map(|()| bytes)
    });
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(error)
}

fn write_file(
    config: Config,
    temporary: &Path,
    packing: Option<&str>,
    stop: &Stop,
) -> io::Result<u64> {
    let file = BufWriter::with_capacity(1 << 20, File::create(temporary)?);
    let bytes = match packing {
        Some("gz") => {
            let mut packed = GzEncoder::new(file, flate2::Compression::default());
            let bytes = write(config, &mut packed, stop)?;
            packed.finish()?.into_inner()?.sync_all()?;
            bytes
        }
        Some("zst") => {
            let mut packed = zstd::Encoder::new(file, 3)?;
            let bytes = write(config, &mut packed, stop)?;
            packed.finish()?.into_inner()?.sync_all()?;
            bytes
        }
        _ => {
            let mut file = file;
            let bytes = write(config, &mut file, stop)?;
            file.into_inner()?.sync_all()?;
            bytes
        }
    };
    Ok(bytes)
}

fn write(config: Config, out: impl Write, stop: &Stop) -> io::Result<u64> {
    let mut out = Stoppable { out, stop };
    let bytes = Day::new(config).write_to(&mut out)?;
    out.flush()?;
    Ok(bytes)
}

/// Fails when it is asked to stop.
struct Stoppable<'a, W> {
    out: W,
    stop: &'a Stop,
}

impl<W: Write> Write for Stoppable<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_asked() {
            // Not `Interrupted`, which writers take for a reason to try again.
            return Err(io::Error::other("asked to stop"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
