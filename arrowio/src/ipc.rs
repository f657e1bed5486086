//! Arrow IPC files and streams: the tables as they are in memory.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};

use crate::breaks::Breaks;
use crate::error::{Error, Result};
use crate::file::AtomicFile;
use crate::table::{Table, check};
use crate::writer::{BatchWriter, KeyValues, Summary, check_fields};

/// Which of the two IPC formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// With a footer, for random access (`.arrow`, also called Feather): what a reader maps into memory.
    #[default]
    File,
    /// One batch after the other (`.arrows`), for a reader that takes them as they come.
    Stream,
}

/// Writes batches to an IPC file that is there whole or not at all.
///
/// # Examples
/// ```
/// use nanobook_arrow::{BatchWriter, TableId, TableOptions, ipc};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("bbo.arrow");
/// let schema = TableId::Bbo.schema(&TableOptions::default());
/// let writer = ipc::Writer::create(&path, &schema, ipc::Format::File)?;
/// let summary = writer.finish(vec![("nanobook:source".into(), "nowhere".into())])?;
/// assert_eq!(summary.rows, 0);
/// assert_eq!(ipc::Reader::open(&path)?.schema(), schema);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer {
    output: Output,
    schema: SchemaRef,
    path: PathBuf,
    rows: u64,
}

type Buffered = BufWriter<AtomicFile>;

enum Output {
    File(Box<FileWriter<Buffered>>),
    Stream(Box<StreamWriter<Buffered>>),
}

impl Writer {
    /// A writer of batches of this schema.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path, schema: &SchemaRef, format: Format) -> Result<Self> {
        let file = BufWriter::new(AtomicFile::create(path)?);
        let output = match format {
            Format::File => FileWriter::try_new(file, schema).map(|w| Output::File(Box::new(w))),
            Format::Stream => {
                StreamWriter::try_new(file, schema).map(|w| Output::Stream(Box::new(w)))
            }
        };
        Ok(Self {
            output: output.map_err(|e| Error::from(e).in_file(path))?,
            schema: schema.clone(),
            path: path.to_path_buf(),
            rows: 0,
        })
    }

    /// Marks the trades that breaks void in the batches that were written, which must be all.
    ///
    /// See [`parquet::Writer::void_trades`](crate::parquet::Writer::void_trades); here the file is always written
    /// once more when there are breaks.
    ///
    /// # Errors
    /// When the file is not one of trades, or can't be read or written.
    pub fn void_trades(self, breaks: &mut Breaks) -> Result<Self> {
        if breaks.is_empty() || self.schema.column_with_name("match_id").is_none() {
            return Ok(self);
        }
        let path = self.path.clone();
        self.void(breaks).map_err(|e| e.in_file(&path))
    }

    fn void(mut self, breaks: &mut Breaks) -> Result<Self> {
        let (format, source) = match &mut self.output {
            Output::File(writer) => {
                writer.finish()?;
                (Format::File, writer.get_ref().get_ref().reader()?)
            }
            Output::Stream(writer) => {
                writer.finish()?;
                writer.flush()?;
                (Format::Stream, writer.get_ref().get_ref().reader()?)
            }
        };
        let mut out = Self::create(&self.path, &self.schema, format)?;
        for batch in Batches::new(source, format)? {
            let batch = batch?;
            let marked = breaks.mark_batch(&batch)?;
            out.write(marked.as_ref().unwrap_or(&batch))?;
        }
        Ok(out)
    }

    fn end(self, metadata: KeyValues) -> Result<AtomicFile> {
        let buffered = match self.output {
            Output::File(mut writer) => {
                for (key, value) in metadata {
                    writer.write_metadata(key, value);
                }
                writer.finish()?;
                writer.into_inner()?
            }
            Output::Stream(_) if !metadata.is_empty() => return Err(Error::NoFooter),
            Output::Stream(mut writer) => {
                writer.finish()?;
                writer.into_inner()?
            }
        };
        buffered
            .into_inner()
            .map_err(|e| Error::io("write", &self.path, e.into_error()))
    }
}

impl BatchWriter for Writer {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        check_fields(&self.schema, batch.schema_ref())?;
        match &mut self.output {
            Output::File(writer) => writer.write(batch),
            Output::Stream(writer) => writer.write(batch),
        }
        .map_err(|e| Error::from(e).in_file(&self.path))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the file and gives it its name. The metadata goes to the footer; a stream has none, and is an error unless
    /// the metadata is empty: put what is known beforehand into the schema's metadata.
    fn finish(self, metadata: KeyValues) -> Result<Summary> {
        let (path, rows) = (self.path.clone(), self.rows);
        let file = self.end(metadata).map_err(|e| e.in_file(&path))?;
        let bytes = file.commit()?;
        Ok(Summary { path, rows, bytes })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// The batches of either format.
enum Batches<R: Read + Seek> {
    File(FileReader<BufReader<R>>),
    Stream(StreamReader<BufReader<R>>),
}

impl<R: Read + Seek> Batches<R> {
    fn new(source: R, format: Format) -> Result<Self, ArrowError> {
        let source = BufReader::new(source);
        match format {
            Format::File => FileReader::try_new(source, None).map(Self::File),
            Format::Stream => StreamReader::try_new(source, None).map(Self::Stream),
        }
    }
}

impl<R: Read + Seek> Iterator for Batches<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::File(reader) => reader.next(),
            Self::Stream(reader) => reader.next(),
        }
    }
}

/// The batches of an IPC file or stream, whichever it is.
pub struct Reader {
    path: PathBuf,
    batches: Batches<File>,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// When it can't be opened or is not Arrow IPC.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || File::open(path).map_err(|e| Error::io("open", path, e));
        let mut magic = [0; 6];
        let has_footer = open()?.read_exact(&mut magic).is_ok() && &magic == b"ARROW1";
        let format = if has_footer {
            Format::File
        } else {
            Format::Stream
        };
        let batches = Batches::new(open()?, format).map_err(|e| Error::from(e).in_file(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            batches,
        })
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        match &self.batches {
            Batches::File(reader) => reader.schema(),
            Batches::Stream(reader) => reader.schema(),
        }
    }

    /// The footer's metadata, sorted by name; empty for a stream.
    pub fn metadata(&self) -> KeyValues {
        let Batches::File(reader) = &self.batches else {
            return KeyValues::new();
        };
        let pairs = reader.custom_metadata().iter();
        let mut pairs: KeyValues = pairs.map(|(k, v)| (k.clone(), v.clone())).collect();
        pairs.sort();
        pairs
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.map_err(|e| Error::from(e).in_file(&self.path)))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// All rows of a file.
///
/// # Errors
/// When it can't be read, or does not hold the table.
pub fn read_rows<T: Table>(path: &Path) -> Result<Vec<T>> {
    let reader = Reader::open(path)?;
    check::<T>(&reader.schema()).map_err(|e| e.in_file(path))?;
    let mut rows = Vec::new();
    for batch in reader {
        rows.extend(T::rows(&batch?).map_err(|e| e.in_file(path))?);
    }
    Ok(rows)
}
