//! Arrow and Parquet tables of nanobook's rows.

mod breaks;
mod column;
mod error;
mod file;
pub mod ipc;
mod options;
pub mod parquet;
mod recorder;
pub mod sorted;
mod table;
mod tables;
mod writer;

pub use breaks::Breaks;
pub use error::{Error, Result};
pub use options::{MAX_LEVELS, PriceType, TableOptions};
pub use recorder::{ROWS_PER_GROUP, Recorded, Recorder, RecorderOptions, RowGroup};
pub use table::{TABLE_KEY, Table, VERSION_KEY};
pub use tables::{DepthRow, TableId, TableSet};
pub use writer::{BatchWriter, KeyValues, Summary};
