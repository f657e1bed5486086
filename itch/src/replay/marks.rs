//! What books changed, from the order of books back into that of the file.
//!
//! A mark written beside its message would be a store that misses the cache, of the four megabytes that half a million
//! messages have for it, and stores wait for one another: 20 ns for each mark, measured. So each thread appends its marks,
//! 8 bytes, and they are counted and then spread over windows of [`WINDOW`] messages, a thousand lines that are being
//! written; within a window they find their place in 2 kB.

/// Messages of a window.
pub(super) const WINDOW: usize = 512;

/// Nothing to push for a message.
pub(super) const SILENT: u32 = 0;

/// What is to be pushed for a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// Place of the message in its block.
    pub(super) ordinal: u32,
    /// Anything but [`SILENT`].
    pub(super) what: u32,
}

impl Mark {
    #[inline]
    fn window(self) -> usize {
        self.ordinal as usize / WINDOW
    }
}

/// The marks of a block; memory that is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// By window.
    marks: Vec<Mark>,
    /// By window, where its marks end.
    ends: Vec<usize>,
}

impl Marks {
    /// Spreads the marks of a block of so many messages over its windows.
    pub(super) fn spread<'a>(
        &mut self,
        marks: impl Iterator<Item = &'a [Mark]> + Clone,
        messages: usize,
    ) {
        self.ends.clear();
        self.ends.resize(messages.div_ceil(WINDOW), 0);
        for mark in marks.clone().flatten() {
            self.ends[mark.window()] += 1;
        }
        let mut end = 0;
        for place in &mut self.ends {
            (*place, end) = (end, end + *place);
        }
        self.marks.resize(end, Mark::default());
        for mark in marks.flatten() {
            let place = &mut self.ends[mark.window()];
            self.marks[*place] = *mark;
            *place += 1;
        }
    }

    /// What is to be pushed for each message of a window: nothing behind the last one.
    #[inline]
    pub(super) fn window(&self, number: usize, into: &mut [u32; WINDOW]) {
        into.fill(SILENT);
        if number >= self.ends.len() {
            return;
        }
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        for mark in &self.marks[start..self.ends[number]] {
            into[mark.ordinal as usize % WINDOW] = mark.what;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found_at_its_message() {
        let mut marks = Marks::default();
        for messages in [1, 511, 512, 513, 5_000, 3] {
            let mark = |ordinal| Mark {
                ordinal,
                what: ordinal + 7,
            };
            let of = |threads: u32, thread| -> Vec<Mark> {
                // Backwards, and not all: books are in no order of the file.
                let ordinals = (0..messages).rev().filter(|n| n % 5 > 0);
                ordinals
                    .filter(|n| n % threads == thread)
                    .map(mark)
                    .collect()
            };
            let shards = [of(3, 0), of(3, 1), of(3, 2)];
            marks.spread(shards.iter().map(Vec::as_slice), messages as usize);
            let mut window = [u32::MAX; WINDOW];
            for number in 0..(messages as usize).div_ceil(WINDOW) {
                marks.window(number, &mut window);
                for (ordinal, what) in (WINDOW * number..).zip(window) {
                    let ordinal = u32::try_from(ordinal).expect("small");
                    let is_marked = ordinal < messages && ordinal % 5 > 0;
                    assert_eq!(what, if is_marked { ordinal + 7 } else { SILENT });
                }
            }
        }
    }
}
