//! What the markets of one id space share: orders, numbers, configuration.

use super::digest::Digest;
use super::records::{Record, Records, State};
use super::{Config, DIGEST_VERSION, Market};
use crate::{Order, OrderId, Side, StpPolicy};

/// The state behind one or more markets.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(super) records: Records,
    pub(super) config: Config,
    pub(super) last_trade: u64,
    /// Scratch for a mass cancel.
    pub(super) ids: Vec<OrderId>,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            records: Records::new(config.keep_closed),
            config,
            last_trade: 0,
            ids: Vec::new(),
        }
    }

    pub(crate) fn set_stp_policy(&mut self, policy: StpPolicy) {
        self.config.stp = policy;
    }

    pub(crate) fn forget_closed(&mut self) {
        self.records.forget_closed();
    }

    pub(crate) fn order(&self, id: OrderId) -> Option<Order> {
        self.records.view(id)
    }

    /// Which market an order is of.
    pub(crate) fn instrument(&self, id: OrderId) -> Option<u32> {
        self.records.terms(id).map(|terms| terms.instrument)
    }

    /// Whether commands are recorded.
    #[cfg(feature = "event-log")]
    #[inline]
    pub(crate) fn records_events(&self) -> bool {
        self.config.record
    }

    /// Forgets what the bound says, at the end of a command.
    #[inline]
    pub(crate) fn settle(&mut self) {
        self.records.settle();
    }

    /// The digest of these markets, see [`digest`](super::digest).
    pub(crate) fn digest(&self, markets: &[Market]) -> u64 {
        let mut digest = Digest::default();
        digest.word(DIGEST_VERSION);
        digest.policy(self.config.stp);
        digest.option(self.config.keep_closed);
        digest.word(self.config.cascade_limit.get().into());
        digest.signed(self.config.min_price.0);
        digest.word(self.records.next_id());
        digest.word(self.last_trade);
        digest.word(self.records.len());
        let ids = self.records.ids();
        for order in ids.iter().filter_map(|id| self.records.view(*id)) {
            digest.order(&order);
        }
        for id in &ids {
            let pending = self.records.get(*id).filter(|record| is_pending(record));
            if let Some(record) = pending {
                let stop = self.records.stop(record.slot);
                if stop.kind.trail().is_some() {
                    digest.price(stop.mark);
                }
            }
        }
        for market in markets {
            self.digest_market(&mut digest, market);
        }
        digest.finish()
    }

    fn digest_market(&self, digest: &mut Digest, market: &Market) {
        digest.phase(market.phase);
        digest.price(market.last_price());
        for side in [Side::Buy, Side::Sell] {
            digest.word(market.orders(side).count() as u64);
            for order in market.orders(side) {
                digest.word(order.id.0);
            }
        }
        let waits = |id: OrderId| self.records.get(id).is_some_and(is_pending);
        let due = || market.stops.due().filter(|(id, _)| waits(*id));
        digest.word(due().count() as u64);
        for (id, price) in due() {
            digest.word(id.0);
            digest.signed(price.0);
        }
        let prints = market.stops.prints();
        digest.word(prints.changes().count() as u64);
        for change in prints.changes() {
            digest.word(change);
        }
    }
}

fn is_pending(record: &Record) -> bool {
    record.state == State::Pending
}
