//! What is sure to happen: system events, the directory, halts, indications.

use super::Flow;
use crate::synth::plan::{Act, Due};
use crate::{
    Alpha2, Alpha4, BrokenTrade, DirectListing, Int2, LuldAuctionCollar, MarketParticipantPosition,
    MwcbDeclineLevel, MwcbStatus, OperationalHalt, Price4, Price8, QuotingPeriodUpdate,
    RegShoRestriction, RetailInterest, StockDirectory, StockTradingAction, SystemEvent, Time48,
};

impl Flow {
    /// Writes the message of an act (several for some auctions, none if there is nothing to break).
    pub(in crate::synth) fn act(&mut self, due: Due) {
        let timestamp = Time48::new(self.tape.now);
        match due.act {
            Act::System(event_code) => self.tape.put(&SystemEvent {
                timestamp,
                event_code,
                ..Default::default()
            }),
            Act::DeclineLevels => self.tape.put(&MwcbDeclineLevel {
                timestamp,
                // 7, 13 and 20 percent below an index of 3,237.80.
                level_1: Price8::new(301_115_400_000),
                level_2: Price8::new(281_688_600_000),
                level_3: Price8::new(259_024_000_000),
                ..Default::default()
            }),
            Act::Breach(breached_level) => self.tape.put(&MwcbStatus {
                timestamp,
                breached_level,
                ..Default::default()
            }),
            Act::Broken => {
                if let Some((stock, match_number)) = self.recent_match() {
                    self.turn_to(stock);
                    let (stock_locate, tracking_number, timestamp) = self.head();
                    self.tape.put(&BrokenTrade {
                        stock_locate,
                        tracking_number,
                        timestamp,
                        match_number: match_number.into(),
                        ..Default::default()
                    });
                }
            }
            act => {
                self.turn_to(due.stock);
                match act {
                    Act::Cross(cross_type) => self.cross(cross_type),
                    Act::Imbalance(cross_type) => self.imbalance(cross_type),
                    act => self.stock_act(act),
                }
            }
        }
    }

    /// An act that is one message about the current stock, with its symbol.
    fn stock_act(&mut self, act: Act) {
        let (stock_locate, tracking_number, timestamp) = self.head();
        let stock = self.listing().stock;
        match act {
            Act::Directory => self.directory(),
            Act::InitialState => self.tape.put(&StockTradingAction {
                message_type: b'H',
                stock_locate,
                tracking_number: Int2::new(0),
                timestamp,
                stock,
                trading_state: b'T',
                reserved: b' ',
                reason: Alpha4::BLANK,
            }),
            Act::ShortSale => {
                let is_restricted = self.rng.chance(3, 100);
                self.tape.put(&RegShoRestriction {
                    message_type: b'Y',
                    stock_locate,
                    tracking_number: Int2::new(0),
                    timestamp,
                    stock,
                    reg_sho_action: if is_restricted { b'2' } else { b'0' },
                });
            }
            Act::Participant(is_primary) => {
                let mpid = self.rng.pick(&self.mpids);
                let is_excused = self.rng.chance(2, 100);
                self.tape.put(&MarketParticipantPosition {
                    message_type: b'L',
                    stock_locate,
                    tracking_number: Int2::new(0),
                    timestamp,
                    mpid,
                    stock,
                    primary_market_maker: flag(is_primary),
                    market_maker_mode: b'N',
                    market_participant_state: if is_excused { b'E' } else { b'A' },
                });
            }
            Act::TradingAction(trading_state, reason) => {
                self.book_mut().is_halted = trading_state != b'T';
                self.tape.put(&StockTradingAction {
                    message_type: b'H',
                    stock_locate,
                    tracking_number,
                    timestamp,
                    stock,
                    trading_state,
                    reserved: b' ',
                    reason: Alpha4::from_bytes(reason),
                });
            }
            Act::OperationalHalt(market_code, operational_halt_action) => {
                self.tape.put(&OperationalHalt {
                    message_type: b'h',
                    stock_locate,
                    tracking_number,
                    timestamp,
                    stock,
                    market_code,
                    operational_halt_action,
                });
            }
            act => self.indication(act),
        }
    }

    /// A message about what may come for the current stock.
    fn indication(&mut self, act: Act) {
        let (stock_locate, tracking_number, timestamp) = self.head();
        let stock = self.listing().stock;
        let (tick, price) = (self.listing().tick, self.book().anchor);
        let percent = |percent: u32| {
            let price = u64::from(price) * u64::from(percent) / 100;
            let price = u32::try_from(price).unwrap_or(u32::MAX);
            Price4::new((price / tick * tick).max(tick))
        };
        match act {
            Act::Collar(extensions) => self.tape.put(&LuldAuctionCollar {
                message_type: b'J',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                auction_collar_reference_price: Price4::new(price),
                upper_auction_collar_price: percent(105 + 5 * u32::from(extensions)),
                lower_auction_collar_price: percent(95 - 5 * u32::from(extensions)),
                auction_collar_extension: u32::from(extensions).into(),
            }),
            Act::Offering(qualifier, release) => self.tape.put(&QuotingPeriodUpdate {
                message_type: b'K',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                ipo_quotation_release_time: release.into(),
                ipo_quotation_release_qualifier: qualifier,
                ipo_price: Price4::new(price),
            }),
            Act::DirectListing(open_eligibility_status) => self.tape.put(&DirectListing {
                message_type: b'O',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                open_eligibility_status,
                minimum_allowable_price: percent(80),
                maximum_allowable_price: percent(180),
                near_execution_price: Price4::new(price),
                near_execution_time: timestamp.ns().into(),
                lower_price_range_collar: percent(90),
                upper_price_range_collar: percent(110),
            }),
            Act::Interest(interest_flag) => self.tape.put(&RetailInterest {
                message_type: b'N',
                stock_locate,
                tracking_number,
                timestamp,
                stock,
                interest_flag,
            }),
            _ => unreachable!("{act:?} is written elsewhere"),
        }
    }

    fn directory(&mut self) {
        let (stock_locate, _, timestamp) = self.head();
        let listing = &self.listings.all[usize::from(self.stock)];
        let rng = &mut self.rng;
        let is_etp = listing.is_etp;
        let is_leveraged = is_etp && rng.chance(1, 10);
        self.tape.put(&StockDirectory {
            message_type: b'R',
            stock_locate,
            tracking_number: Int2::new(0),
            timestamp,
            stock: listing.stock,
            market_category: listing.category,
            financial_status_indicator: if rng.chance(97, 100) { b'N' } else { b'D' },
            round_lot_size: listing.round_lot.into(),
            round_lots_only: b'N',
            issue_classification: if is_etp { b'Q' } else { rng.pick(b"CCCCCAOPW") },
            issue_sub_type: Alpha2::from_bytes(if is_etp { *b"E " } else { *b"Z " }),
            authenticity: b'P',
            short_sale_threshold_indicator: flag(rng.chance(1, 100)),
            ipo_flag: flag(self.stock + 1 == self.listings.len()),
            luld_reference_price_tier: if is_etp { b'1' } else { rng.pick(b"12") },
            etp_flag: flag(is_etp),
            etp_leverage_factor: if is_leveraged { 2 } else { 0 }.into(),
            inverse_indicator: flag(is_leveraged && rng.chance(1, 2)),
        });
    }
}

fn flag(yes: bool) -> u8 {
    if yes { b'Y' } else { b'N' }
}
