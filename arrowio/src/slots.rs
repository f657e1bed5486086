//! Which instruments the rows of a group are about.

use std::collections::HashMap;

use nanobook::rows::Header;
use nanobook::{InstrumentId, Symbol, Timestamp, prefetch};

/// Instruments that a session can have: what is looked up by id without a hash.
const INSTRUMENTS: usize = 1 << 16;

/// The instruments of rows, each counted as it comes, and the slot of each row.
///
/// An instrument that comes under another symbol gets another slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    of_rows: Vec<u32>,
    firsts: Vec<(u32, Option<Symbol>)>,
    /// The instruments by their ids.
    known: Vec<Known>,
    /// Those with ids beyond those of a session.
    others: HashMap<u32, Known>,
}

/// An instrument as it was last seen. A row looks at no more than this, which is within a line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Known {
    symbol: Option<Symbol>,
    /// One more than its slot; 0 if it was not seen.
    number: u32,
}

const _: () = assert!(size_of::<Known>() == 32);

impl Slots {
    /// Adds a row and gives its slot.
    #[inline]
    pub(crate) fn push(&mut self, header: &Header) -> usize {
        let id = header.instrument_id.0;
        let number = match self.known.get(id as usize) {
            Some(known) if known.number != 0 && known.symbol == header.symbol => known.number,
            _ => self.find(id, header.symbol),
        };
        let slot = number - 1;
        self.of_rows.push(slot);
        slot as usize
    }

    /// Asks for what is known of an instrument, so that it is in the cache when its rows come.
    #[inline]
    pub(crate) fn touch(&self, instrument: InstrumentId) {
        if let Some(known) = self.known.get(instrument.0 as usize) {
            prefetch(known);
        }
    }

    /// One more than the slot of an instrument that is not as it was last seen.
    #[cold]
    fn find(&mut self, id: u32, symbol: Option<Symbol>) -> u32 {
        let place = id as usize;
        if (self.known.len()..INSTRUMENTS).contains(&place) {
            let len = (place + 1).next_power_of_two();
            self.known.resize(len, Known::default());
        }
        let known = match self.known.get_mut(place) {
            Some(known) => known,
            None => self.others.entry(id).or_default(),
        };
        if known.number == 0 || known.symbol != symbol {
            self.firsts.push((id, symbol));
            #[expect(clippy::cast_possible_truncation, reason = "a group has fewer rows")]
            let number = self.firsts.len() as u32;
            *known = Known { symbol, number };
        }
        known.number
    }

    /// The slot of each row.
    pub(crate) fn of_rows(&self) -> &[u32] {
        &self.of_rows
    }

    /// The instrument and the symbol of each slot.
    pub(crate) fn firsts(&self) -> &[(u32, Option<Symbol>)] {
        &self.firsts
    }

    /// What a row starts with, from the times and sequence numbers of all rows.
    pub(crate) fn header(&self, row: usize, times: &[i64], seqs: &[u64]) -> Header {
        let (id, symbol) = self.firsts[self.of_rows[row] as usize];
        Header {
            ts_event: Timestamp(times[row]),
            seq: seqs[row],
            instrument_id: InstrumentId(id),
            symbol,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.of_rows.clear();
        for (id, _) in self.firsts.drain(..) {
            if let Some(known) = self.known.get_mut(id as usize) {
                known.number = 0;
            }
        }
        self.others.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instrument_keeps_its_slot() {
        let mut slots = Slots::default();
        let rows = [
            (7, Some("A")),
            (9, Some("B")),
            (7, Some("A")),
            (7, Some("C")),
            (7, Some("C")),
            (7, None),
            (70_000, Some("D")),
            (9, Some("B")),
            (70_000, Some("D")),
            (70_000, None),
        ];
        for _ in 0..2 {
            let got = rows.map(|(id, symbol)| {
                slots.push(&Header {
                    ts_event: Timestamp(0),
                    seq: 0,
                    instrument_id: InstrumentId(id),
                    symbol: symbol.map(|symbol: &str| symbol.parse().unwrap()),
                })
            });
            assert_eq!(got, [0, 1, 0, 2, 2, 3, 4, 1, 4, 5]);
            assert_eq!(slots.of_rows().len(), rows.len());
            assert_eq!(slots.firsts()[2], (7, "C".parse().ok()));
            slots.clear();
        }
    }
}
