//! What the checks look at. What is not known is `None`, and then what needs it fails.

use nanobook::trading::{Account, Instrument, NewOrder, Order, Position, Quote, Units};
use nanobook::{Money, Symbol, Timestamp};

/// Whether what is sold pays for what is bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proceeds {
    /// No: the orders leave together.
    #[default]
    Ignored,
    /// Yes: the sells of this call are filled, at their worst price, before its buys leave.
    SoldFirst,
}

/// The whole state against which orders are judged.
///
/// [`Situation::new`] knows nothing, and nothing passes in it.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The time.
    pub now: Timestamp,
    /// Orders that may still trade, ours and others', in full: what is not in here is taken not to exist.
    /// One whose fate is not known belongs in here. `None` when the broker was not heard.
    pub working: Option<&'a [Order]>,
    /// All positions of the account; `None` when the broker was not heard.
    pub positions: Option<&'a [Position]>,
    /// The account; `None` when the broker was not heard.
    pub account: Option<&'a Account>,
    /// Quotes, of whatever there is to be traded or is held.
    pub quotes: &'a [Quote],
    /// The venue's rules.
    pub instruments: &'a [Instrument],
    /// Average daily volumes.
    pub volumes: &'a [(Symbol, Units)],
    /// How much may be sold short, where that must be located.
    pub located: &'a [(Symbol, Units)],
    /// Whether sells pay for buys.
    pub proceeds: Proceeds,
    /// The targets that the orders come from.
    pub targets: Option<&'a Targets<'a>>,
    /// The orders that were approved.
    pub plan: Option<&'a [NewOrder]>,
    /// The day so far.
    pub day: Option<Day>,
    /// The process and the market.
    pub session: Session<'a>,
}

impl Situation<'_> {
    /// Knows nothing but the time.
    pub const fn new(now: Timestamp) -> Self {
        Self {
            now,
            working: None,
            positions: None,
            account: None,
            quotes: &[],
            instruments: &[],
            volumes: &[],
            located: &[],
            proceeds: Proceeds::Ignored,
            targets: None,
            plan: None,
            day: None,
            session: Session::UNKNOWN,
        }
    }
}

/// Target weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets<'a> {
    /// When they were made.
    pub as_of: Timestamp,
    /// Symbols and parts of equity.
    pub weights: &'a [(Symbol, f64)],
}

/// The day so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Equity when the day began.
    pub start_equity: Option<Money>,
    /// Highest equity, of whatever time the caller watches.
    pub peak_equity: Option<Money>,
    /// Value of what was traded before on this day.
    pub traded: Option<Money>,
}

/// The process and the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    /// Whether somebody has pulled the switch.
    pub kill_switch: Option<bool>,
    /// Whether trading is halted.
    pub halted: Option<bool>,
    /// Whether positions may only become smaller.
    pub reduce_only: Option<bool>,
    /// Whether the market is open.
    pub market_open: Option<bool>,
    /// The account that is meant.
    pub account_id: Option<&'a str>,
    /// Whether a paper account is meant.
    pub paper: Option<bool>,
    /// How many open orders and positions nothing explains.
    pub unexplained: Option<u32>,
    /// Orders sent in the window.
    pub orders_sent: Option<u32>,
    /// Messages sent in the window.
    pub messages_sent: Option<u32>,
    /// Runs begun in the window, this one not included.
    pub runs: Option<u32>,
}

impl Session<'_> {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        kill_switch: None,
        halted: None,
        reduce_only: None,
        market_open: None,
        account_id: None,
        paper: None,
        unexplained: None,
        orders_sent: None,
        messages_sent: None,
        runs: None,
    };
}
