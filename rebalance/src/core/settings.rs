//! How a run is carried out.

use nanobook::Money;
use nanobook::trading::TimeInForce;
use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

/// What pays for buys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spend {
    /// Confirmed cash.
    #[default]
    Cash,
    /// What the broker lends too: its buying power.
    BuyingPower,
}

/// Time-outs, patience and limits of a run. Part of the plan, so that a run goes on as it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an answer is waited for; longer than the broker itself waits.
    pub request_timeout_ns: i64,
    /// Pause between two looks at the venue.
    pub poll_ns: i64,
    /// Longer than the venue hides anything that is new. An order that is absent after that time, and for that time
    /// again, has ended or never arrived.
    pub grace_ns: i64,
    /// How many empty answers that takes at least.
    pub absent_answers: u32,
    /// How long something may stay unexplained before a human has to look.
    pub patience_ns: i64,
    /// How long the run may take until it gives up what is left.
    pub deadline_ns: i64,
    /// How long an order rests before it is cancelled and priced anew.
    pub chase_ns: i64,
    /// How often that is done for each slice.
    pub chases: u32,
    /// How far beyond the quote's other side an order is priced, in bps.
    pub offset_bps: u32,
    /// How much farther at each chase, in bps.
    pub chase_bps: u32,
    /// How many refusals a leg may have.
    pub refusals: u32,
    /// Time from a slice to the next.
    pub slice_ns: i64,
    /// Oldest quote that prices an order.
    pub quote_age_ns: i64,
    /// Most messages in any second.
    pub rate: u32,
    /// Most orders of one look.
    pub batch: u32,
    /// What an order costs, in bps of its value, set aside with the cash for it.
    pub fee_bps: u32,
    /// What an order costs at least.
    pub min_fee: Money,
    /// Cash that is not spent.
    pub cash_buffer: Money,
    /// What pays for buys.
    pub spend: Spend,
    /// How long orders live at the venue.
    pub tif: TimeInForce,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            request_timeout_ns: 15 * SECOND,
            poll_ns: SECOND,
            grace_ns: 10 * SECOND,
            absent_answers: 3,
            patience_ns: 60 * SECOND,
            deadline_ns: 1_800 * SECOND,
            chase_ns: 10 * SECOND,
            chases: 5,
            offset_bps: 0,
            chase_bps: 2,
            refusals: 3,
            slice_ns: 60 * SECOND,
            quote_age_ns: 10 * SECOND,
            rate: 40,
            batch: 20,
            fee_bps: 10,
            min_fee: Money(0),
            cash_buffer: Money(0),
            spend: Spend::Cash,
            tif: TimeInForce::Day,
        }
    }
}
