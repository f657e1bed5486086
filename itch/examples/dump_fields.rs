//! Writes a feed of random messages of every type, and beside it every field as we read it.
//!
//! `dump_fields SEED COUNT FEED FIELDS` writes COUNT messages to FEED with length framing and one
//! JSON object per message to FIELDS: integers as numbers, text and codes as hexadecimal bytes.
//! `tests/peer_itchfeed.py` reads both and compares them with another parser.

use std::error::Error;
use std::fmt::{Display, Write as _};
use std::fs::File;
use std::io::{BufWriter, Write};

use nanobook_itch::{
    Alpha, Frames, Framing, Int2, Int4, Int8, LENGTH, Message, Price4, Price8, TAGS, Time48,
};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [seed, count, feed, fields] = args.as_slice() else {
        return Err("usage: dump_fields SEED COUNT FEED FIELDS".into());
    };
    let bytes = random_feed(seed.parse()?, count.parse()?);
    std::fs::write(feed, &bytes)?;
    let mut out = BufWriter::new(File::create(fields)?);
    let mut frames = Frames::new(&bytes, Framing::Length);
    for (_, message) in &mut frames {
        writeln!(out, "{}", json(Message::parse(message)?))?;
    }
    frames.finish()?;
    out.flush()?;
    Ok(())
}

/// Types in turn, any bytes in every field.
fn random_feed(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    // SplitMix64.
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut feed = Vec::new();
    for tag in TAGS.into_iter().cycle().take(count) {
        let mut message: Vec<u8> = (0..LENGTH[usize::from(tag)])
            .map(|_| random().to_be_bytes()[0])
            .collect();
        message[0] = tag;
        if message[0] == b'S' && message[11] == b'C' {
            // The end of messages would make a reader stop.
            message[11] = b'E';
        }
        let message = Message::parse(&message).expect("the length is that of the type");
        // Through the encoder of each type, so that it is part of what is compared.
        macro_rules! encode {
            ($($name:ident)*) => {
                match message {
                    $(Message::$name(m) => Framing::Length.encode(m, &mut feed),)*
                }
            };
        }
        encode! {
            SystemEvent StockDirectory StockTradingAction RegShoRestriction
            MarketParticipantPosition MwcbDeclineLevel MwcbStatus QuotingPeriodUpdate
            LuldAuctionCollar OperationalHalt AddOrder AddOrderAttributed OrderExecuted
            OrderExecutedWithPrice OrderCancel OrderDelete OrderReplace Trade CrossTrade
            BrokenTrade NetOrderImbalance RetailInterest DirectListing
        }
    }
    feed
}

/// One field of a JSON object.
trait Field {
    fn put(&self, name: &str, out: &mut String);
}

fn number(name: &str, value: impl Display, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, ",\"{name}\":{value}");
}

fn hex(name: &str, bytes: &[u8], out: &mut String) {
    let _ = write!(out, ",\"{name}\":\"");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out.push('"');
}

impl Field for u8 {
    fn put(&self, name: &str, out: &mut String) {
        hex(name, &[*self], out);
    }
}

impl<const N: usize> Field for Alpha<N> {
    fn put(&self, name: &str, out: &mut String) {
        hex(name, self.bytes(), out);
    }
}

macro_rules! numbers {
    ($($name:ident $read:ident),*) => {
        $(impl Field for $name {
            fn put(&self, name: &str, out: &mut String) {
                number(name, self.$read(), out);
            }
        })*
    };
}

numbers!(Int2 get, Int4 get, Int8 get, Price4 raw, Price8 raw, Time48 ns);

fn json(message: Message<'_>) -> String {
    let mut out = String::new();
    // Every struct is taken apart by name without `..`, so no field can be forgotten.
    macro_rules! dump {
        ($($name:ident { $($field:ident),* })*) => {
            match message {
                $(Message::$name(&nanobook_itch::$name {
                    message_type, stock_locate, tracking_number, timestamp, $($field),*
                }) => {
                    message_type.put("message_type", &mut out);
                    stock_locate.put("stock_locate", &mut out);
                    tracking_number.put("tracking_number", &mut out);
                    timestamp.put("timestamp", &mut out);
                    $($field.put(stringify!($field), &mut out);)*
                })*
            }
        };
    }
    dump! {
        SystemEvent { event_code }
        StockDirectory {
            stock, market_category, financial_status_indicator, round_lot_size, round_lots_only,
            issue_classification, issue_sub_type, authenticity, short_sale_threshold_indicator,
            ipo_flag, luld_reference_price_tier, etp_flag, etp_leverage_factor, inverse_indicator
        }
        StockTradingAction { stock, trading_state, reserved, reason }
        RegShoRestriction { stock, reg_sho_action }
        MarketParticipantPosition {
            mpid, stock, primary_market_maker, market_maker_mode, market_participant_state
        }
        MwcbDeclineLevel { level_1, level_2, level_3 }
        MwcbStatus { breached_level }
        QuotingPeriodUpdate {
            stock, ipo_quotation_release_time, ipo_quotation_release_qualifier, ipo_price
        }
        LuldAuctionCollar {
            stock, auction_collar_reference_price, upper_auction_collar_price,
            lower_auction_collar_price, auction_collar_extension
        }
        OperationalHalt { stock, market_code, operational_halt_action }
        AddOrder { order_reference_number, buy_sell_indicator, shares, stock, price }
        AddOrderAttributed {
            order_reference_number, buy_sell_indicator, shares, stock, price, attribution
        }
        OrderExecuted { order_reference_number, executed_shares, match_number }
        OrderExecutedWithPrice {
            order_reference_number, executed_shares, match_number, printable, execution_price
        }
        OrderCancel { order_reference_number, cancelled_shares }
        OrderDelete { order_reference_number }
        OrderReplace {
            original_order_reference_number, new_order_reference_number, shares, price
        }
        Trade { order_reference_number, buy_sell_indicator, shares, stock, price, match_number }
        CrossTrade { shares, stock, cross_price, match_number, cross_type }
        BrokenTrade { match_number }
        NetOrderImbalance {
            paired_shares, imbalance_shares, imbalance_direction, stock, far_price, near_price,
            current_reference_price, cross_type, price_variation_indicator
        }
        RetailInterest { stock, interest_flag }
        DirectListing {
            stock, open_eligibility_status, minimum_allowable_price, maximum_allowable_price,
            near_execution_price, near_execution_time, lower_price_range_collar,
            upper_price_range_collar
        }
    }
    out.replace_range(..1, "{");
    out.push('}');
    out
}
