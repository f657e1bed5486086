//! The rows of a block, pushed in file order.

use nanobook::rows::{Action, Bbo, Code, Header, MarketHeader, Mbo, Trade, TradeBreak, TradeKind};
use nanobook::{InstrumentId, OrderId, Qty, Resting, Side, Sink, TradeId, prefetch};

use super::apply::Change;
use super::block::{AHEAD, Found};
use super::depth::DepthStep;
use super::intervals::{Session, at};
use super::marks::{SILENT, WINDOW};
use super::translate::{self, Translator};
use super::{Replay, header_of};
use crate::message::Message;

impl Replay {
    /// Pushes what the messages of the block caused, and moves on behind it.
    pub(super) fn emit(&mut self, data: &[u8], sink: &mut impl Sink) {
        let mut fetched = [(0, Change::default()); AHEAD];
        self.pushed.grow(self.instruments.len());
        if self.block.is_direct() {
            for at in 0..self.block.direct().len() {
                let ordinal = self.block.direct()[at] as usize;
                self.emit_one(data, ordinal, &Change::default(), sink);
            }
        } else {
            self.block.spread(&mut self.marks);
            let mut window = [SILENT; WINDOW];
            let (mut found, mut next) = (Found::default(), Found::default());
            for first in (0..self.block.len() + AHEAD).step_by(AHEAD) {
                let (number, place) = (first / WINDOW, first % WINDOW);
                if place == 0 {
                    self.block.window(number, &self.marks, &mut window);
                }
                self.block
                    .find(first, &window[place..place + AHEAD], &mut next);
                let look = |ordinal: u32, step: Option<&DepthStep>| {
                    let locate = self.block.locate(data, ordinal);
                    sink.expect(InstrumentId(locate.into()));
                    let locate = usize::from(locate);
                    prefetch(&self.names[locate]);
                    if let Some(step) = step {
                        self.pushed.touch(self.slots[locate].handle as usize, step);
                    }
                };
                for (ordinal, change) in self.block.fetch(&found, &mut fetched, look) {
                    self.emit_one(data, *ordinal as usize, change, sink);
                }
                std::mem::swap(&mut found, &mut next);
            }
        }
        self.seq += self.block.len() as u64;
        self.report.add_later(&self.block.seen);
        self.close_intervals(self.report.last_ns, sink);
    }

    /// Pushes what a message caused.
    #[inline]
    fn emit_one(&mut self, data: &[u8], ordinal: usize, change: &Change, sink: &mut impl Sink) {
        let Some(message) = self.block.message(data, ordinal) else {
            return;
        };
        let ns = message.header().ns();
        if let Message::SystemEvent(m) = message {
            self.report.last_system_event = Some(m.event_code);
        }
        // The directory names what other rows are about, and a break changes a row of its past.
        let timeless = matches!(
            message,
            Message::StockDirectory(_) | Message::BrokenTrade(_)
        );
        let locate = message.header().stock_locate.get();
        if !timeless && !(self.config.from_ns..self.config.to_ns).contains(&ns) {
            if let Some((step, changed)) = self.block.step(change) {
                let handle = self.slots[usize::from(locate)].handle as usize;
                self.pushed.pass(handle, step.counts, changed);
            }
            return;
        }
        let ts_event = at(self.config.midnight, ns);
        let market = MarketHeader {
            ts_event,
            seq: self.seq + 1 + ordinal as u64,
        };
        self.emit_message(market, locate, &message, change, sink);
        if let Some(&[bid, ask]) = self.block.quote(change) {
            let header = header_of(&self.names, locate, market.ts_event, market.seq);
            sink.bbo(&Bbo { header, bid, ask });
        }
        if let Some((step, changed)) = self.block.step(change) {
            let handle = self.slots[usize::from(locate)].handle as usize;
            let header = header_of(&self.names, locate, market.ts_event, market.seq);
            sink.depth(&self.pushed.row(handle, header, step.counts, changed));
        }
    }

    /// Pushes the rows of intervals that ended by `now_ns`, or of all at the end of the session.
    pub(super) fn close_intervals(&mut self, now_ns: Option<u64>, sink: &mut impl Sink) {
        let session = Session {
            config: &self.config,
            names: &self.names,
            slots: &self.slots,
        };
        if let Some(bars) = &mut self.bars {
            bars.push(&mut self.instruments, now_ns, &session, sink);
        }
        if let Some(samples) = &mut self.samples {
            let levels = (&mut self.instruments[..], &mut self.pushed);
            samples.push(levels, now_ns, &session, sink);
        }
    }

    fn emit_message(
        &mut self,
        market: MarketHeader,
        locate: u16,
        message: &Message<'_>,
        change: &Change,
        sink: &mut impl Sink,
    ) {
        let wanted = self.config.wanted;
        let header = || header_of(&self.names, locate, market.ts_event, market.seq);
        if wanted.mbo {
            push_mbo(header(), message, change.resting, sink);
        }
        if wanted.trades
            && let Some(row) = trade(header(), message, change.resting)
        {
            sink.trade(&row);
        }
        let mut translator = Translator {
            midnight: self.config.midnight,
            faults: &mut self.report.faults,
        };
        match message {
            Message::SystemEvent(m) => sink.system_event(&translator.system_event(market, m)),
            Message::StockDirectory(m) => {
                sink.stock_directory(&translator.stock_directory(header(), m));
            }
            Message::StockTradingAction(m) => sink.status(&translator.trading_action(header(), m)),
            Message::OperationalHalt(m) => sink.status(&translator.operational_halt(header(), m)),
            Message::RegShoRestriction(m) => sink.reg_sho(&translator.reg_sho(header(), m)),
            Message::MarketParticipantPosition(m) => {
                sink.participant(&translator.participant(header(), m));
            }
            Message::MwcbDeclineLevel(m) => sink.mwcb(&translator.mwcb_levels(market, m)),
            Message::MwcbStatus(m) => sink.mwcb(&translator.mwcb_status(market, m)),
            Message::QuotingPeriodUpdate(m) => sink.ipo(&translator.ipo(header(), m)),
            Message::LuldAuctionCollar(m) => sink.luld(&Translator::luld(header(), m)),
            Message::NetOrderImbalance(m) => sink.imbalance(&translator.imbalance(header(), m)),
            Message::RetailInterest(m) => sink.rpii(&translator.rpii(header(), m)),
            Message::DirectListing(m) => {
                sink.direct_listing(&translator.direct_listing(header(), m));
            }
            Message::BrokenTrade(m) => {
                sink.trade_break(&TradeBreak {
                    header: header(),
                    match_id: TradeId(m.match_number.get()),
                });
            }
            _ => {}
        }
    }
}

/// Pushes the row of an order message; nothing for other messages.
///
/// Each is pushed where it is made, so that its values go from the message to the sink without a row in between, and
/// those that are null cost nothing.
#[inline]
fn push_mbo(header: Header, message: &Message<'_>, resting: Option<Resting>, sink: &mut impl Sink) {
    let qty = |wire: crate::Int4| Qty(wire.get().into());
    let blank = Mbo {
        header,
        action: Action::Add,
        side: resting.map(|resting| resting.side),
        price: resting.map(|resting| resting.price),
        qty: None,
        order_id: OrderId(0),
        old_order_id: None,
        leaves_qty: None,
        match_id: None,
        printable: None,
        mpid: None,
    };
    // An add or a replace rests whole unless the book refuses it.
    let rests = |price: crate::Price4, qty: Qty| if price.raw() == 0 { Qty(0) } else { qty };
    let left = |taken: Qty| resting.map(|resting| resting.qty.saturating_sub(taken));
    let add = |side: u8, price: crate::Price4, shares: crate::Int4, id: crate::Int8| {
        let side = translate::side(side);
        Mbo {
            side,
            price: Some(translate::price(price)),
            qty: Some(qty(shares)),
            order_id: OrderId(id.get()),
            leaves_qty: Some(side.map_or(Qty(0), |_| rests(price, qty(shares)))),
            ..blank
        }
    };
    let execute =
        |shares: crate::Int4, id: crate::Int8, match_number: crate::Int8, printable| Mbo {
            action: Action::Execute,
            qty: Some(qty(shares)),
            order_id: OrderId(id.get()),
            leaves_qty: left(qty(shares)),
            match_id: Some(TradeId(match_number.get())),
            printable: Some(printable),
            ..blank
        };
    match message {
        Message::AddOrder(m) => sink.mbo(&add(
            m.buy_sell_indicator,
            m.price,
            m.shares,
            m.order_reference_number,
        )),
        Message::AddOrderAttributed(m) => sink.mbo(&Mbo {
            mpid: Code::new(m.attribution.bytes()),
            ..add(
                m.buy_sell_indicator,
                m.price,
                m.shares,
                m.order_reference_number,
            )
        }),
        Message::OrderExecuted(m) => sink.mbo(&execute(
            m.executed_shares,
            m.order_reference_number,
            m.match_number,
            true,
        )),
        Message::OrderExecutedWithPrice(m) => sink.mbo(&execute(
            m.executed_shares,
            m.order_reference_number,
            m.match_number,
            m.printable == b'Y',
        )),
        Message::OrderCancel(m) => sink.mbo(&Mbo {
            action: Action::Reduce,
            qty: Some(qty(m.cancelled_shares)),
            order_id: OrderId(m.order_reference_number.get()),
            leaves_qty: left(qty(m.cancelled_shares)),
            ..blank
        }),
        Message::OrderDelete(m) => sink.mbo(&Mbo {
            action: Action::Delete,
            qty: resting.map(|resting| resting.qty),
            order_id: OrderId(m.order_reference_number.get()),
            leaves_qty: resting.map(|_| Qty(0)),
            ..blank
        }),
        Message::OrderReplace(m) => sink.mbo(&Mbo {
            action: Action::Replace,
            price: Some(translate::price(m.price)),
            qty: Some(qty(m.shares)),
            order_id: OrderId(m.new_order_reference_number.get()),
            old_order_id: Some(OrderId(m.original_order_reference_number.get())),
            leaves_qty: resting.map(|_| rests(m.price, qty(m.shares))),
            ..blank
        }),
        _ => {}
    }
}

/// The row of a print; `None` for other messages and executions that do not count in volume.
#[inline]
fn trade(header: Header, message: &Message<'_>, resting: Option<Resting>) -> Option<Trade> {
    let displayed = |kind, id: crate::Int8, shares: crate::Int4, match_number: crate::Int8| Trade {
        header,
        kind,
        price: resting.map(|resting| resting.price),
        qty: Qty(shares.get().into()),
        // The order rests, so whoever trades with it is on the other side.
        side: resting.map(|resting| !resting.side),
        order_id: Some(OrderId(id.get())),
        match_id: TradeId(match_number.get()),
        cross_type: None,
        broken: false,
    };
    let undisplayed = |kind, qty, match_number: crate::Int8| Trade {
        header,
        kind,
        price: translate::print(message).map(|(price, _)| price),
        qty,
        side: None::<Side>,
        order_id: None,
        match_id: TradeId(match_number.get()),
        cross_type: None,
        broken: false,
    };
    Some(match message {
        Message::OrderExecuted(m) => displayed(
            TradeKind::Displayed,
            m.order_reference_number,
            m.executed_shares,
            m.match_number,
        ),
        Message::OrderExecutedWithPrice(m) if m.printable == b'Y' => Trade {
            price: translate::nonzero(m.execution_price),
            ..displayed(
                TradeKind::DisplayedAtPrice,
                m.order_reference_number,
                m.executed_shares,
                m.match_number,
            )
        },
        Message::Trade(m) => undisplayed(
            TradeKind::Hidden,
            Qty(m.shares.get().into()),
            m.match_number,
        ),
        Message::CrossTrade(m) => Trade {
            cross_type: Code::new(&[m.cross_type]),
            ..undisplayed(TradeKind::Cross, Qty(m.shares.get()), m.match_number)
        },
        _ => return None,
    })
}
