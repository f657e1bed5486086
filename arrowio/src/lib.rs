//! Tables of nanobook's rows: Arrow batches, and Parquet and Arrow IPC files.
//!
//! A table is the image of a row type of [`nanobook::rows`]: one column for each field, in the order of the fields. A
//! [`Recorder`] is a [`Sink`](nanobook::Sink) that collects rows into row groups; an [`Encoder`](parquet::Encoder) turns
//! a row group into its final bytes, on any thread; a [`Writer`](parquet::Writer) appends them in order to a file that is
//! there whole or not at all. The bytes depend on the rows and the options only: not on threads, clocks or chance.
//!
//! ```
//! use nanobook::rows::{Header, Trade, TradeKind};
//! use nanobook::{InstrumentId, Price, Qty, Sink, Timestamp, TradeId};
//! use nanobook_arrow::{Recorder, RecorderOptions, TableId, parquet};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("trades/date=2020-01-30/part-0.parquet");
//! let options = RecorderOptions {
//!     tables: "trades".parse()?,
//!     ..RecorderOptions::default()
//! };
//! let schema = TableId::Trades.schema(&options.table_options);
//! let mut writer = parquet::Writer::create(&path, &schema)?;
//! let encoder = writer.encoder();
//!
//! // Whoever drives the recorder decides where groups are encoded: here, where they are.
//! let mut groups = Vec::new();
//! let mut recorder = Recorder::new(options, |group| groups.push(encoder.encode_group(&group)));
//! recorder.trade(&Trade {
//!     header: Header {
//!         ts_event: Timestamp(1_580_394_600_000_000_000),
//!         seq: 0,
//!         instrument_id: InstrumentId(13),
//!         symbol: "AAPL".parse().ok(),
//!     },
//!     kind: TradeKind::Hidden,
//!     price: Some(Price::from_ten_thousandths(3_204_500)),
//!     qty: Qty(100),
//!     side: None,
//!     order_id: None,
//!     match_id: TradeId(1),
//!     cross_type: None,
//!     broken: false,
//! });
//! let mut recorded = recorder.finish();
//! for group in groups {
//!     writer.append(group?)?;
//! }
//! let writer = writer.void_trades(&mut recorded.breaks)?;
//! writer.finish(vec![("nanobook:source".into(), "a feed".into())])?;
//!
//! let trades: Vec<Trade> = parquet::read_rows(&path)?;
//! assert_eq!(trades[0].price.map(|price| price.as_f64()), Some(320.45));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Tables
//!
//! Every table begins with `ts_event, seq, instrument_id, symbol`. Further columns:
//!
//! | table | row | columns |
//! |---|---|---|
//! | `mbo` | [`Mbo`](nanobook::rows::Mbo) | `action`, `side`, `price`, `qty`, `order_id`, `old_order_id`, `leaves_qty`, `match_id`, `printable`, `mpid` |
//! | `bbo` | [`Bbo`](nanobook::rows::Bbo) | `bid_px`, `bid_qty`, `bid_count`, `ask_px`, `ask_qty`, `ask_count` |
//! | `depth` | [`DepthRow`] | `bid_px_00`, `bid_qty_00`, `bid_count_00`, `ask_px_00`, … for each level |
//! | `trades` | [`Trade`](nanobook::rows::Trade) | `kind`, `price`, `qty`, `side`, `order_id`, `match_id`, `cross_type`, `broken` |
//! | `bars` | [`Bar`](nanobook::rows::Bar) | `interval`, `open`, `high`, `low`, `close`, `volume`, `vwap`, `trade_count`, `bid_px`, `ask_px` |
//! | `imbalance` | [`Imbalance`](nanobook::rows::Imbalance) | `paired_qty`, `imbalance_qty`, `imbalance_side`, `far_px`, `near_px`, `ref_px`, `cross_type`, `variation`, `imbalance_direction`, `tracking_number` |
//! | `status` | [`Status`](nanobook::rows::Status) | `kind`, `state`, `reason`, `market`, `tracking_number` |
//! | `instruments` | [`StockDirectory`](nanobook::rows::StockDirectory) | its fields |
//! | `reg_sho` | [`RegSho`](nanobook::rows::RegSho) | its fields |
//! | `luld` | [`Luld`](nanobook::rows::Luld) | its fields |
//! | `mwcb` | [`Mwcb`](nanobook::rows::Mwcb) | its fields; `instrument_id` and `symbol` are null |
//! | `ipo` | [`Ipo`](nanobook::rows::Ipo) | its fields |
//! | `participants` | [`Participant`](nanobook::rows::Participant) | its fields |
//! | `rpii` | [`Rpii`](nanobook::rows::Rpii) | its fields |
//! | `direct_listing` | [`DirectListing`](nanobook::rows::DirectListing) | its fields |
//! | `system_events` | [`SystemEvent`](nanobook::rows::SystemEvent) | its fields; `instrument_id` and `symbol` are null |
//!
//! Times are `Timestamp(ns, "UTC")`; prices are what [`PriceType`] says; quantities, `seq` and ids are unsigned; a side
//! is +1 or −1; text is `Utf8View`. What a row does not say is null. `tests/schemas` has all of it.
//!
//! Each schema carries `nanobook:table` and `nanobook:version` as metadata. Columns are added at the end; any other
//! change takes a new version.
//!
//! # Modules
//!
//! | module | what |
//! |---|---|
//! | [`parquet`] | Parquet files, and how their columns are encoded |
//! | [`ipc`] | Arrow IPC files and streams |
//! | `polars` | frames of Rust Polars, over the same memory (feature `polars`) |
//! | [`sorted`] | a table in order of symbol, in bounded memory |

mod breaks;
mod column;
mod error;
mod file;
pub mod ipc;
mod options;
mod panel;
pub mod parquet;
#[cfg(feature = "polars")]
pub mod polars;
mod recorder;
mod results;
mod slots;
pub mod sorted;
mod table;
mod tables;
pub mod trading;
mod writer;

pub use breaks::Breaks;
pub use error::{Error, Result};
pub use options::{MAX_LEVELS, PriceType, TableOptions};
pub use panel::{FrameError, FrameNames, PanelFrame, ScheduleFrame, read_actions};
pub use recorder::{ROWS_PER_GROUP, Recorded, Recorder, RecorderOptions, RowGroup};
pub use results::{Labels, SweepRow, metrics_table, periods_table, sweep_table};
pub use table::{Projection, TABLE_KEY, Table, VERSION_KEY};
pub use tables::{DepthRow, TableId, TableSet};
pub use writer::{BatchWriter, KeyValues, Summary};
