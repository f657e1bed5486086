//! The checks by name.

use std::fmt;

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// One order.
    Order,
    /// All orders of the call.
    Batch,
    /// The account after the orders.
    Account,
    /// The day and the process.
    Session,
}

/// What the numbers of a check count, in units of 1e-9 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// The account's currency.
    Money,
    /// Shares, contracts or coins.
    Qty,
    /// The currency of the instrument.
    Price,
    /// One, so that 0.1 is a tenth.
    Ratio,
    /// Ten-thousandths.
    Bps,
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// No numbers: yes or no.
    Flag,
}

macro_rules! checks {
    ($($(#[$doc:meta])* $id:ident = $code:literal, $level:ident, $unit:ident;)*) => {
        /// A check. Its code is its name in the table `risk_checks`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Check {
            $($(#[$doc])* $id,)*
        }

        impl Check {
            /// All checks.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// Its name in the table.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$id => $code,)* }
            }

            /// What it looks at.
            pub const fn level(self) -> Level {
                match self { $(Self::$id => Level::$level,)* }
            }

            /// What its numbers count.
            pub const fn unit(self) -> Unit {
                match self { $(Self::$id => Unit::$unit,)* }
            }
        }
    };
}

checks! {
    /// Distance of the price from the middle of the quote.
    PriceCollar = "PRICE_COLLAR", Order, Bps;
    /// A buy far above the ask, a sell far below the bid, or a price that is not above zero.
    LimitPriceSane = "LIMIT_PRICE_SIDE_SANE", Order, Bps;
    /// Prices are multiples of the tick.
    TickSize = "TICK_SIZE", Order, Price;
    /// The quantity is a multiple of the lot, and above zero.
    LotStep = "LOT_STEP", Order, Qty;
    /// The smallest quantity of the venue.
    MinQty = "MIN_QTY", Order, Qty;
    /// The largest quantity of the venue.
    MaxQty = "MAX_QTY", Order, Qty;
    /// The smallest price times quantity of the venue.
    MinNotional = "MIN_NOTIONAL", Order, Money;
    /// Our largest quantity of an order.
    MaxOrderQty = "MAX_ORDER_QTY", Order, Qty;
    /// Our largest price times quantity of an order.
    MaxOrderNotional = "MAX_ORDER_NOTIONAL", Order, Money;
    /// Price times quantity of all orders.
    MaxBatchNotional = "MAX_BATCH_NOTIONAL", Batch, Money;
    /// Number of orders.
    MaxOrdersPerRun = "MAX_ORDERS_PER_RUN", Batch, Count;
    /// Price times quantity of all orders over equity.
    MaxTurnover = "MAX_TURNOVER", Batch, Ratio;
    /// The same with what was traded before on this day.
    MaxDayTurnover = "MAX_DAY_TURNOVER", Batch, Ratio;
    /// Quantity of a position, worst case.
    MaxPositionQty = "MAX_POSITION_QTY", Account, Qty;
    /// Value of a position, worst case.
    MaxPositionNotional = "MAX_POSITION_NOTIONAL", Account, Money;
    /// Value of a position over equity, worst case.
    MaxWeight = "MAX_WEIGHT", Account, Ratio;
    /// Value of all positions, long and short, worst case.
    GrossExposure = "GROSS_EXPOSURE", Account, Money;
    /// The same over equity.
    Leverage = "LEVERAGE", Account, Ratio;
    /// Long less short over equity, worst case in both directions.
    NetExposure = "NET_EXPOSURE", Account, Ratio;
    /// Value of all short positions over equity, worst case.
    ShortExposure = "SHORT_EXPOSURE", Account, Ratio;
    /// A short position where there may be none, or more than was located.
    Short = "SHORT_NOT_ALLOWED", Account, Qty;
    /// Value of the positions of a group over equity, worst case.
    GroupConcentration = "GROUP_CONCENTRATION", Account, Ratio;
    /// What the buys and the shorts can cost, against what the broker lets the account spend.
    BuyingPower = "BUYING_POWER", Account, Money;
    /// Cash after all buys have filled at their worst price, with fees.
    Cash = "CASH", Account, Money;
    /// The same over equity.
    MinCashBuffer = "MIN_CASH_BUFFER", Account, Ratio;
    /// Quantity over average daily volume.
    AdvParticipation = "ADV_PARTICIPATION", Order, Ratio;
    /// Spread over the middle of the quote.
    SpreadTooWide = "SPREAD_TOO_WIDE", Order, Bps;
    /// Age of the quote.
    QuoteStale = "QUOTE_STALE", Order, Seconds;
    /// The quote is live.
    QuoteDelayed = "QUOTE_DELAYED", Order, Flag;
    /// The quote has both sides.
    QuoteOneSided = "QUOTE_ONE_SIDED", Order, Flag;
    /// The bid is not above the ask.
    QuoteCrossed = "QUOTE_CROSSED", Order, Price;
    /// Age of the targets.
    TargetStale = "TARGET_STALE", Batch, Seconds;
    /// Sum of the absolute weights of the targets.
    WeightSum = "WEIGHT_SUM", Batch, Ratio;
    /// Every weight is a number.
    WeightNan = "WEIGHT_NAN", Batch, Count;
    /// Every symbol is named once.
    DuplicateSymbol = "DUPLICATE_SYMBOL", Batch, Count;
    /// The instrument is not on the list of those not to be traded.
    Restricted = "RESTRICTED_LIST", Order, Flag;
    /// The instrument is on the list of those that may be traded.
    Allowed = "ALLOW_LIST", Order, Flag;
    /// The venue knows the instrument.
    InstrumentUnknown = "INSTRUMENT_UNKNOWN", Order, Flag;
    /// The instrument trades.
    InstrumentHalted = "INSTRUMENT_HALTED", Order, Flag;
    /// Nothing else works, or is to be sent, with this id or on this side of this instrument.
    DuplicateOrder = "DUPLICATE_ORDER", Order, Count;
    /// It would not trade with an order of ours.
    SelfCross = "SELF_CROSS", Order, Price;
    /// Orders within the window.
    OrderRate = "ORDER_RATE", Session, Count;
    /// Messages within the window.
    MessageRate = "MESSAGE_RATE", Session, Count;
    /// Runs within the window.
    RepeatedExecution = "REPEATED_EXECUTION", Session, Count;
    /// The market is open.
    MarketClosed = "MARKET_CLOSED", Session, Flag;
    /// Equity lost since the day began.
    DailyLoss = "DAILY_LOSS", Session, Ratio;
    /// Equity lost since its peak.
    Drawdown = "DRAWDOWN", Session, Ratio;
    /// Nobody has pulled the switch.
    KillSwitch = "KILL_SWITCH", Session, Flag;
    /// Trading is not halted.
    Halted = "HALTED", Session, Flag;
    /// When only reducing is allowed, no position can grow or change sides.
    ReduceOnly = "REDUCE_ONLY", Account, Qty;
    /// The account is the one that was meant, and paper or live as was meant.
    AccountMode = "ACCOUNT_MODE", Session, Flag;
    /// Every open order and every position is explained.
    ReconcileDirty = "RECONCILE_DIRTY", Session, Count;
    /// The orders that leave are those that were approved.
    PlanEquality = "PLAN_EQUALITY", Batch, Count;
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Level {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Batch => "batch",
            Self::Account => "account",
            Self::Session => "session",
        }
    }
}

impl Unit {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Qty => "qty",
            Self::Price => "price",
            Self::Ratio => "ratio",
            Self::Bps => "bps",
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Flag => "flag",
        }
    }
}
