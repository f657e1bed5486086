//! Raw market-data files to Parquet datasets.
//!
//! # Examples
//! ```
//! use nanobook_datasets::{ReplayOptions, SessionDate, Stop, replay, sample, SAMPLE_NAME};
//!
//! let out = tempfile::tempdir()?;
//! let date = SessionDate::from_file_name(SAMPLE_NAME)?;
//! let day = replay(sample()?, date, out.path(), &ReplayOptions::default(), &Stop::new())?;
//! assert!(day.report.report.messages.total() > 0);
//! assert!(out.path().join("bbo/date=2020-01-30/part-0.parquet").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what |
//! |---|---|
//! | `source` | a file or standard input, unpacked by its content, with its digest |
//! | `session` | the day of a session and what its times mean |
//! | `feed` | blocks of whole frames, read ahead |
//! | `pipeline` | feed → books → rows → row groups |
//! | `files` | row groups → Parquet files, in order, by any number of workers |
//! | `stream` | one table as batches, without a file in between |
//! | `dataset` | the folders of a dataset, replaced as a whole |
//! | `inspect` | counts without books |
//! | `unfinished` | what goes away when the process is interrupted |
//! | `catalog` | what a dataset holds |
//! | `cli` | the command `nanobook` |

mod catalog;
pub mod cli;
mod dataset;
mod error;
mod feed;
mod files;
mod inspect;
mod options;
mod pipeline;
mod progress;
mod report;
mod sample;
mod session;
mod source;
mod stream;
mod synthesize;
mod unfinished;

pub use catalog::{CatalogEntry, catalog};
pub use dataset::{WrittenDay, replay};
pub use error::{Error, Result};
pub use inspect::{Inspection, inspect};
pub use options::{ReplayOptions, ShowProgress, Sort};
pub use pipeline::{Stop, replay_into};
pub use report::{SessionReport, Tail};
pub use sample::{SAMPLE_MESSAGES, SAMPLE_NAME, SAMPLE_SEED, SAMPLE_SYMBOLS, sample};
pub use session::{SessionDate, parse_interval, parse_time_of_day};
pub use source::{Compression, Origin, Source};
pub use stream::{StreamOptions, Streamed, stream};
pub use synthesize::synthesize;
pub use unfinished::remove_unfinished;
