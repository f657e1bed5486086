//! Waiting stops, what prints do to them, and the queue of those that have triggered.

use std::collections::{BTreeSet, VecDeque};

use super::MAX_PRICE;
use super::records::Records;
use crate::{OrderId, OrderKind, Price, Side, Trail};

/// The longest period of [`Trail::MeanAbsChange`].
pub(super) const MAX_PERIOD: u16 = 1_024;

/// What a stop order waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// As asked.
    pub(super) kind: OrderKind,
    /// Where it stands now.
    pub(super) level: Price,
    /// The best print since it was submitted, of a trailing stop.
    pub(super) mark: Option<Price>,
}

impl Stop {
    /// The kind with the stop where it stands now.
    pub(super) fn standing(&self) -> OrderKind {
        let now = self.level;
        match self.kind {
            OrderKind::TrailingStopMarket { trail, .. } => {
                OrderKind::TrailingStopMarket { stop: now, trail }
            }
            OrderKind::TrailingStopLimit { price, trail, .. } => OrderKind::TrailingStopLimit {
                stop: now,
                price,
                trail,
            },
            kind => kind,
        }
    }
}

/// Whether a print reaches a stop.
#[inline]
pub(super) fn reaches(side: Side, print: Price, stop: Price) -> bool {
    match side {
        Side::Buy => print >= stop,
        Side::Sell => print <= stop,
    }
}

/// The latest prints. A print only writes down the one before it; what stops want to know of the changes from print to
/// print is made when they ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Prints {
    /// Means nothing before the first.
    last: Price,
    /// What stood in `last` when print `n` came is at `n % HELD`. Empty until the first.
    before: Vec<Price>,
    /// How many there were.
    count: u64,
    /// Entry `n % SUMS` is the sum of the first `n` absolute changes, wrapping, but for a constant: a mean is one
    /// subtraction. Empty until a trail is moved.
    sums: Vec<u128>,
    /// Up to which change they are known.
    summed: u64,
}

/// So many changes are remembered, and as many prints before the last.
const HELD: usize = MAX_PERIOD as usize;

/// A mean needs the sum before its first change.
const SUMS: usize = HELD + 1;

impl Prints {
    #[inline]
    fn push(&mut self, price: Price) {
        let before = std::mem::replace(&mut self.last, price);
        match self.before.get_mut(place::<HELD>(self.count)) {
            Some(place) => *place = before,
            None => self.begin(),
        }
        self.count += 1;
    }

    /// Before the first print there was none to write down.
    #[cold]
    fn begin(&mut self) {
        self.before = vec![Price(0); HELD];
    }

    /// The last print.
    fn last(&self) -> Option<Price> {
        (self.count > 0).then_some(self.last)
    }

    /// How many changes there were from print to print.
    fn changes_so_far(&self) -> u64 {
        self.count.saturating_sub(1)
    }

    /// Up to which change all are forgotten.
    fn forgotten(&self) -> u64 {
        self.changes_so_far().saturating_sub(HELD as u64)
    }

    /// Change `n`, from print `n` to the next.
    fn change(&self, n: u64) -> u64 {
        let print = |n| match n + 1 {
            next if next == self.count => self.last,
            next => self.before[place::<HELD>(next)],
        };
        print(n + 1).0.abs_diff(print(n).0)
    }

    /// Brings the sums up to the last print.
    fn sum_up(&mut self) {
        if self.sums.is_empty() {
            self.sums = vec![0; SUMS];
        }
        let count = self.changes_so_far();
        for n in self.summed.max(self.forgotten())..count {
            let sum = self.sums[place::<SUMS>(n)].wrapping_add(self.change(n).into());
            self.sums[place::<SUMS>(n + 1)] = sum;
        }
        self.summed = count;
    }

    /// The sum of the last `period` changes and their number, after [`Prints::sum_up`].
    fn sum(&self, period: u16) -> (u128, u64) {
        let count = self.changes_so_far();
        let n = count.min(period.into());
        let [now, then] = [count, count - n].map(|n| self.sums[place::<SUMS>(n)]);
        (now.wrapping_sub(then), n)
    }

    /// The changes that are held, latest first.
    pub(super) fn changes(&self) -> impl Iterator<Item = u64> {
        (self.forgotten()..self.changes_so_far())
            .rev()
            .map(|n| self.change(n))
    }
}

/// Where entry `n` of a ring is.
#[inline]
fn place<const LENGTH: usize>(n: u64) -> usize {
    usize::try_from(n % LENGTH as u64).expect("below the length")
}

/// How far behind `mark` a trail stands now.
fn offset(trail: Trail, mark: Price, prints: &Prints) -> i128 {
    const MILLION: i128 = 1_000_000;
    match trail {
        Trail::Fixed(by) => by.0.into(),
        Trail::Percentage { ppm } => {
            let part = i128::from(mark.0.unsigned_abs()) * i128::from(ppm);
            (part + MILLION / 2) / MILLION
        }
        Trail::MeanAbsChange {
            multiplier_ppm,
            period,
        } => {
            let (sum, n) = prints.sum(period);
            if n == 0 {
                return 0;
            }
            // At most 1,024 changes of less than 2^62 times 2^32: far below 2^127.
            let sum = i128::try_from(sum).expect("the sum of a few changes");
            sum * i128::from(multiplier_ppm) / (i128::from(n) * MILLION)
        }
    }
}

/// The stops of one instrument.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    /// Plain buy stops by price and id: the lowest triggers first.
    buys: BTreeSet<(Price, u64)>,
    /// Plain sell stops by price and id: the highest triggers first.
    sells: BTreeSet<(Price, u64)>,
    /// Trailing stops in order of id.
    trailing: Vec<OrderId>,
    /// Stops that have triggered and wait for their turn, with the print.
    due: VecDeque<(OrderId, Price)>,
    prints: Prints,
    /// Scratch: what one print triggers.
    hit: Vec<OrderId>,
}

impl Stops {
    pub(super) fn last(&self) -> Option<Price> {
        self.prints.last()
    }

    pub(super) fn prints(&self) -> &Prints {
        &self.prints
    }

    /// Whether some stop has triggered and waits for its turn.
    #[inline]
    pub(super) fn any_due(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn due(&self) -> impl Iterator<Item = &(OrderId, Price)> {
        self.due.iter()
    }

    pub(super) fn next_due(&mut self) -> Option<(OrderId, Price)> {
        self.due.pop_front()
    }

    /// Puts one that was taken by [`Stops::next_due`] back to the front.
    pub(super) fn put_back(&mut self, id: OrderId, price: Price) {
        self.due.push_front((id, price));
    }

    /// A new stop waits; one that the last print reaches already is due at once, unless it trails.
    pub(super) fn wait(&mut self, id: OrderId, side: Side, stop: &Stop) {
        if stop.kind.trail().is_some() {
            self.trailing.push(id);
            return;
        }
        if let Some(last) = self.last().filter(|last| reaches(side, *last, stop.level)) {
            self.due.push_back((id, last));
            return;
        }
        self.plain(side).insert((stop.level, id.0));
    }

    /// A stop is cancelled. One that is due stays in the queue and is passed over when its turn comes.
    pub(super) fn remove(&mut self, id: OrderId, side: Side, stop: &Stop) {
        if stop.kind.trail().is_some() {
            self.trailing.retain(|other| *other != id);
        } else {
            self.plain(side).remove(&(stop.level, id.0));
        }
    }

    /// Takes note of a print: trails follow, and the stops that it reaches are due, in order of id.
    #[inline]
    pub(super) fn print(&mut self, price: Price, records: &mut Records) {
        self.prints.push(price);
        let quiet = self.trailing.is_empty() && self.buys.is_empty() && self.sells.is_empty();
        if !quiet {
            self.trigger(price, records);
        }
    }

    fn trigger(&mut self, price: Price, records: &mut Records) {
        while let Some(&(stop, id)) = self.buys.first().filter(|(stop, _)| *stop <= price) {
            self.buys.remove(&(stop, id));
            self.hit.push(OrderId(id));
        }
        while let Some(&(stop, id)) = self.sells.last().filter(|(stop, _)| *stop >= price) {
            self.sells.remove(&(stop, id));
            self.hit.push(OrderId(id));
        }
        if !self.trailing.is_empty() {
            self.prints.sum_up();
        }
        let (hit, prints) = (&mut self.hit, &self.prints);
        self.trailing.retain(|&id| {
            let record = *records.live(id);
            let stop = records.stop_mut(record.slot);
            follow(stop, record.side, price, prints);
            let reached = reaches(record.side, price, stop.level);
            if reached {
                hit.push(id);
            }
            !reached
        });
        self.hit.sort_unstable();
        self.due.extend(self.hit.drain(..).map(|id| (id, price)));
    }

    /// The ids of the stops that wait and are not due, in no order.
    pub(super) fn waiting(&self) -> impl Iterator<Item = OrderId> {
        let plain = self.buys.iter().chain(&self.sells);
        let plain = plain.map(|(_, id)| OrderId(*id));
        plain.chain(self.trailing.iter().copied())
    }

    fn plain(&mut self, side: Side) -> &mut BTreeSet<(Price, u64)> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }
}

/// Moves a trailing stop after a print; it only ever comes closer to the market.
fn follow(stop: &mut Stop, side: Side, price: Price, prints: &Prints) {
    let Some(trail) = stop.kind.trail() else {
        return;
    };
    let best = stop.mark.map_or(price, |mark| match side {
        Side::Buy => mark.min(price),
        Side::Sell => mark.max(price),
    });
    stop.mark = Some(best);
    let away = offset(trail, best, prints);
    if away <= 0 {
        return;
    }
    let limit = i128::from(MAX_PRICE.0);
    let behind = i128::from(best.0) + i128::from(side.sign()) * away;
    let behind = Price(i64::try_from(behind.clamp(-limit, limit)).expect("clamped"));
    stop.level = match side {
        Side::Buy => stop.level.min(behind),
        Side::Sell => stop.level.max(behind),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_the_latest_changes_is_that_of_each() {
        let mut prints = Prints::default();
        assert_eq!((prints.last(), prints.changes().count()), (None, 0));
        let mut changes = Vec::new();
        let mut price = 0;
        for n in 0..5_000_i64 {
            let change = n * n % 1_009;
            price += if n % 3 == 0 { -change } else { change };
            prints.push(Price(price));
            assert_eq!(prints.last(), Some(Price(price)));
            if n > 0 {
                changes.insert(0, change.unsigned_abs());
                changes.truncate(HELD);
            }
            // Now and then, so that sums are brought up over few prints and over more than are held.
            if n % 700 < 3 || n > 3_000 && n % 1_100 == 0 {
                prints.sum_up();
                assert!(prints.changes().eq(changes.iter().copied()), "print {n}");
                for period in [1, 2, 1_023, MAX_PERIOD] {
                    let latest = &changes[..changes.len().min(period.into())];
                    let sum = latest.iter().map(|change| u128::from(*change)).sum();
                    assert_eq!(prints.sum(period), (sum, latest.len() as u64), "print {n}");
                }
            }
        }
    }

    #[test]
    fn a_stop_that_is_cancelled_waits_no_more() {
        let mut stops = Stops::default();
        let trail = Trail::Fixed(Price(1));
        let level = Price(5);
        for kind in [
            OrderKind::StopMarket { stop: level },
            OrderKind::TrailingStopMarket { stop: level, trail },
        ] {
            for side in [Side::Buy, Side::Sell] {
                let stop = Stop {
                    kind,
                    level,
                    mark: None,
                };
                stops.wait(OrderId(1), side, &stop);
                assert!(stops.waiting().count() == 1 && !stops.any_due());
                stops.remove(OrderId(1), side, &stop);
                assert_eq!(stops.waiting().count(), 0);
            }
        }
    }
}
