//! A raw file as a feed: unpacked by what is in it, with the digest of what was read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The name of standard input.
const STDIN: &str = "-";

/// Bytes that are read from a file at a time.
const CHUNK: usize = 1 << 18;

/// How a file is packed, told by its first bytes and not by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not packed.
    None,
    /// gzip, of one or several members (RFC 1952).
    Gzip,
    /// Zstandard, of one or several frames (RFC 8878).
    Zstd,
}

impl Compression {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "raw",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// What is known of a source when it has been read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the file, without its folders; `stdin` for standard input.
    pub name: String,
    /// How it was packed.
    pub compression: Compression,
    /// Its size in bytes, as it was read.
    pub bytes: u64,
    /// SHA-256 of those bytes, as `sha256sum` prints it; `None` after [`Source::without_digest`].
    pub sha256: Option<String>,
}

/// Counts and digests what goes through it.
struct Tap<R> {
    inner: R,
    hash: Option<Sha256>,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A signal may reach the thread that reads. Who is to stop is told otherwise, and decoders take it for an error.
        let count = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

type Raw = BufReader<Tap<Box<dyn Read + Send>>>;

enum Unpacked {
    None(Raw),
    Gzip(Box<MultiGzDecoder<Raw>>),
    Zstd(Box<zstd::Decoder<'static, Raw>>),
}

/// A file or standard input, unpacked while it is read.
pub struct Source {
    path: PathBuf,
    name: String,
    compression: Compression,
    size: Option<u64>,
    read: Arc<AtomicU64>,
    unpacked: Unpacked,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// When it can't be opened or is a folder.
    pub fn open(path: &Path) -> Result<Self> {
        let is_stdin = path == Path::new(STDIN);
        let (inner, size): (Box<dyn Read + Send>, _) = if is_stdin {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
            let metadata = file.metadata().map_err(|e| Error::io("look at", path, e))?;
            if metadata.is_dir() {
                let e = io::Error::from(io::ErrorKind::IsADirectory);
                return Err(Error::io("open", path, e));
            }
            (Box::new(file), metadata.is_file().then_some(metadata.len()))
        };
        let name = match path.file_name() {
            Some(name) if !is_stdin => name.to_string_lossy().into_owned(),
            _ => "stdin".to_owned(),
        };
        Self::new(inner, path.to_path_buf(), name, size)
    }

    /// The bytes of a file that is in memory.
    ///
    /// # Errors
    /// When their first bytes can't be read as what they seem to be.
    pub fn from_bytes(name: &str, bytes: &'static [u8]) -> Result<Self> {
        Self::new(
            Box::new(bytes),
            PathBuf::from(name),
            name.to_owned(),
            Some(bytes.len() as u64),
        )
    }

    fn new(
        inner: Box<dyn Read + Send>,
        path: PathBuf,
        name: String,
        size: Option<u64>,
    ) -> Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let tap = Tap {
            inner,
            hash: Some(Sha256::new()),
            read: Arc::clone(&read),
        };
        let mut raw = BufReader::with_capacity(CHUNK, tap);
        let head = raw.fill_buf().map_err(|e| Error::io("read", &path, e))?;
        let compression = Compression::of(head);
        let unpacked = match compression {
            Compression::None => Unpacked::None(raw),
            Compression::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(raw))),
            Compression::Zstd => {
                let decoder = zstd::Decoder::with_buffer(raw);
                Unpacked::Zstd(Box::new(
                    decoder.map_err(|e| Error::io("unpack", &path, e))?,
                ))
            }
        };
        Ok(Self {
            path,
            name,
            compression,
            size,
            read,
            unpacked,
        })
    }

    /// The same source without its digest, which costs a second for every two gigabytes.
    #[must_use]
    pub fn without_digest(mut self) -> Self {
        let raw = match &mut self.unpacked {
            Unpacked::None(raw) => raw,
            Unpacked::Gzip(decoder) => decoder.get_mut(),
            Unpacked::Zstd(decoder) => decoder.get_mut(),
        };
        raw.get_mut().hash = None;
        self
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the file, without its folders.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is packed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Size of the file in bytes; `None` when that is not known beforehand.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Counts the bytes of the file that have been read, for a progress bar.
    pub fn position(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Reads what is left of the file and says what it was.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn finish(self) -> Result<Origin> {
        let Self {
            path,
            name,
            compression,
            unpacked,
            ..
        } = self;
        let mut raw = match unpacked {
            Unpacked::None(raw) => raw,
            Unpacked::Gzip(decoder) => decoder.into_inner(),
            Unpacked::Zstd(decoder) => decoder.finish(),
        };
        io::copy(&mut raw, &mut io::sink()).map_err(|e| Error::io("read", &path, e))?;
        let tap = raw.into_inner();
        let hex = |hash: Sha256| {
            let digits = |byte: &u8| [byte >> 4, byte & 15].map(|d| char::from_digit(d.into(), 16));
            hash.finalize().iter().flat_map(digits).flatten().collect()
        };
        let sha256 = tap.hash.map(hex);
        Ok(Origin {
            name,
            compression,
            bytes: tap.read.load(Ordering::Relaxed),
            sha256,
        })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.unpacked {
            Unpacked::None(raw) => raw.read(buffer),
            Unpacked::Gzip(decoder) => decoder.read(buffer),
            Unpacked::Zstd(decoder) => decoder.read(buffer),
        }
    }
}
