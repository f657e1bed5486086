//! The columns of `bbo`, encoded from its rows as the recorder keeps them.
//!
//! Rows as what differs from the row before, as those of `depth` are kept, cost as much as they spare: with one level a
//! look into the dictionary is as quick as the comparison.

use ::parquet::basic::Type;
use ::parquet::errors::Result;
use ::parquet::schema::types::ColumnDescPtr;

use super::direct::{Direct, Source, bits};
use super::kind::{Number, key_of_i64};
use super::{Chunk, Scratch};
use crate::tables::{BboRows, HEADER};

/// Columns of the table.
pub(in crate::parquet) const COLUMNS: usize = HEADER + 2 * PER_SIDE;

/// Columns of a side: price, quantity and count.
const PER_SIDE: usize = 3;

/// Encodes a column, unless it is better encoded otherwise.
pub(in crate::parquet) fn encode(
    column: &ColumnDescPtr,
    at: usize,
    rows: &BboRows,
    scratch: &mut Scratch,
) -> Result<Option<Chunk>> {
    let direct = Direct { column, scratch };
    let Some(place) = at.checked_sub(HEADER) else {
        return direct.header(at, (&rows.times, &rows.seqs), &rows.slots);
    };
    let Some(side) = rows.sides.get(place / PER_SIDE) else {
        return Ok(None);
    };
    let len = rows.len();
    let valid = (side.prices.len() < len).then(|| bits(&rows.valid, place / PER_SIDE));
    let valid = valid.as_deref();
    match place % PER_SIDE {
        0 => {
            let kind = match column.physical_type() {
                Type::DOUBLE => Number::Price,
                _ => Number::Int64,
            };
            direct.numbers(Source::some(len, &side.prices, valid), kind, key_of_i64)
        }
        1 => {
            let qtys = Source::some(len, &side.qtys, valid);
            direct.numbers(qtys, Number::UInt64, |qty| qty)
        }
        _ => {
            let counts = Source::some(len, &side.counts, valid);
            direct.numbers(counts, Number::UInt32, u64::from)
        }
    }
}
