//! A source cut into blocks of whole frames, read ahead on a thread of its own.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use nanobook_itch::{FrameReader, Framing};

use crate::files::give_way;
use crate::report::Tail;
use crate::source::{Compression, Origin, Source};
use crate::{Error, Result};

/// Memory of blocks, 16 MB each, that may wait to be filled again, while the books have one and the next is looked through
/// before its turn.
const USED: usize = 2;

/// How long is waited for a block before somebody may ask for the end: a feed may be silent for ever.
const WAIT: Duration = Duration::from_millis(20);

/// Bytes of the zero length that ends a session.
const END_MARK: u64 = 2;

/// Whole frames of a feed.
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
}

/// How to read a feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeedOptions {
    /// `None`: found from the first bytes.
    pub(crate) framing: Option<Framing>,
    /// A missing end is no error.
    pub(crate) allow_truncated: bool,
    pub(crate) block_bytes: usize,
}

/// What a feed was, when it has ended.
#[derive(Debug)]
pub(crate) struct FeedEnd {
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
    pub(crate) tail: Option<Tail>,
    /// Unpacked bytes behind the end of the session.
    pub(crate) trailing_bytes: u64,
}

/// Reads a source in blocks.
pub(crate) struct Feed {
    reader: FrameReader<Source>,
    path: PathBuf,
    allow_truncated: bool,
    compression: Compression,
}

impl Feed {
    pub(crate) fn new(source: Source, options: FeedOptions) -> Result<Self> {
        let path = source.path().to_path_buf();
        let compression = source.compression();
        let feed_error = |e| feed_error(&path, compression, e);
        let reader = match options.framing {
            Some(framing) => FrameReader::new(source, framing),
            None => FrameReader::detect(source).map_err(feed_error)?,
        };
        let reader = reader.block_capacity(options.block_bytes);
        Ok(Self {
            reader,
            path,
            allow_truncated: options.allow_truncated,
            compression,
        })
    }

    pub(crate) fn framing(&self) -> Framing {
        self.reader.framing()
    }

    /// Calls `take` with every block and a used one to fill; `take` says whether to go on.
    pub(crate) fn run(mut self, mut take: impl FnMut(Block) -> Option<Vec<u8>>) -> Result<FeedEnd> {
        let mut buffer = Vec::new();
        let tail = loop {
            match self.reader.read_block(&mut buffer) {
                Ok(None) => break None,
                Ok(Some(_)) => {
                    let block = Block {
                        bytes: std::mem::take(&mut buffer),
                    };
                    buffer = take(block).ok_or(Error::Interrupted)?;
                }
                Err(error) if self.allow_truncated && self.is_missing_end(&error) => {
                    let error = feed_error(&self.path, self.compression, error);
                    break Some(Tail {
                        reason: reason(&error),
                    });
                }
                Err(error) => return Err(feed_error(&self.path, self.compression, error)),
            }
        };
        let behind = if tail.is_none() {
            self.reader.unread().len()
        } else {
            0
        };
        let mut source = self.reader.into_inner();
        let rest = match tail {
            Some(_) => 0,
            None => io::copy(&mut source, &mut io::sink())
                .map_err(|e| Error::io("read", &self.path, e))?,
        };
        Ok(FeedEnd {
            path: self.path,
            origin: source.finish()?,
            tail,
            trailing_bytes: (behind as u64 + rest).saturating_sub(END_MARK),
        })
    }

    /// Whether an error says that the feed lacks its end, and not that it is damaged.
    fn is_missing_end(&self, error: &nanobook_itch::Error) -> bool {
        match error {
            nanobook_itch::Error::Truncated { .. } => true,
            nanobook_itch::Error::Io { source, .. } => {
                self.compression != Compression::None
                    && source.kind() == io::ErrorKind::UnexpectedEof
            }
            _ => false,
        }
    }
}

/// What comes of a feed that another thread reads, in this order.
pub(crate) enum Piece {
    /// How its messages are framed, found or given.
    Framing(Framing),
    /// Whole frames; any number of times.
    Block(Block),
    /// Its end, or why it could not be read to it.
    End(Result<FeedEnd>),
}

/// A feed that a thread of its own reads ahead.
///
/// The thread ends when this is dropped, as soon as it has something to hand over; until then it waits in the source and
/// holds nothing but its buffer.
pub(crate) struct Ahead {
    pieces: Receiver<Piece>,
    /// A piece that came when only a block was asked for.
    held: Cell<Option<Piece>>,
    empty: SyncSender<Vec<u8>>,
}

impl Ahead {
    pub(crate) fn start(source: Source, options: FeedOptions) -> Result<Self> {
        let path = source.path().to_path_buf();
        // The reading thread holds a block until it is taken: more of them would be memory and no time.
        let (full, pieces) = sync_channel::<Piece>(0);
        let (empty, used) = sync_channel::<Vec<u8>>(USED);
        let read = move || {
            // What is packed takes so long that the books wait for it.
            if source.compression() == Compression::None {
                give_way();
            }
            let feed = match Feed::new(source, options) {
                Ok(feed) => feed,
                Err(error) => return drop(full.send(Piece::End(Err(error)))),
            };
            if full.send(Piece::Framing(feed.framing())).is_err() {
                return;
            }
            let end = feed.run(|block| {
                full.send(Piece::Block(block)).ok()?;
                Some(used.try_recv().unwrap_or_default())
            });
            // Nobody listens any more when the replay was stopped.
            let _ = full.send(Piece::End(end));
        };
        std::thread::Builder::new()
            .name("nanobook-read".to_owned())
            .spawn(read)
            .map_err(|e| Error::io("start a thread to read", &path, e))?;
        Ok(Self {
            pieces,
            held: Cell::new(None),
            empty,
        })
    }

    /// The next piece; `None` when there is none yet.
    pub(crate) fn next(&self) -> Option<Piece> {
        if let Some(piece) = self.held.take() {
            return Some(piece);
        }
        match self.pieces.recv_timeout(WAIT) {
            Ok(piece) => Some(piece),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the thread ends with an end, and the feed passes its errors on")
            }
        }
    }

    /// The next piece if it is there and a block.
    pub(crate) fn next_block(&self) -> Option<Block> {
        match self.held.take().or_else(|| self.pieces.try_recv().ok())? {
            Piece::Block(block) => Some(block),
            other => {
                self.held.set(Some(other));
                None
            }
        }
    }

    /// Gives a block's memory back to be filled again.
    pub(crate) fn give_back(&self, bytes: Vec<u8>) {
        // A full or closed channel means that nobody needs it.
        let _ = self.empty.try_send(bytes);
    }
}

fn feed_error(path: &Path, compression: Compression, error: nanobook_itch::Error) -> Error {
    let path = path.to_path_buf();
    match error {
        nanobook_itch::Error::Io { offset, source } => match compression {
            Compression::None => Error::Io {
                action: "read",
                path,
                source,
            },
            packed => Error::Compressed {
                path,
                compression: packed.as_str(),
                offset,
                source,
                last_ns: None,
            },
        },
        source => Error::Feed {
            path,
            source,
            last_ns: None,
        },
    }
}

/// An error without the name of the file and its last good time, which the report has elsewhere.
fn reason(error: &Error) -> String {
    match error {
        Error::Feed { source, .. } => source.to_string(),
        Error::Compressed {
            compression,
            offset,
            source,
            ..
        } => {
            format!("the {compression} data ends after {offset} unpacked bytes: {source}")
        }
        other => other.to_string(),
    }
}
