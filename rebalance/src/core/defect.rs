//! Planted defects, which the simulation must catch: a test that no defect fails proves nothing.

/// A way to do it wrong. The core asks for them at the places where it would be done; without the feature `simulation`
/// the answer is a constant no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "simulation"),
    expect(
        dead_code,
        unreachable_pub,
        reason = "simulations have uses of their own"
    )
)]
pub enum Defect {
    /// An order counts as cancelled when it is asked for.
    CancelTakenForDone,
    /// An order that nobody answers counts as never sent.
    SilenceIsRefusal,
    /// An order that nobody answers is sent again.
    ResentOnSilence,
    /// An order during which the connection broke counts as never sent.
    BreakIsRefusal,
    /// Answers are waited for for ever.
    NeverExpires,
    /// An answer counts for whatever was asked last.
    AnswersUnmatched,
    /// A connection that was refused is not tried again.
    ConnectsOnce,
    /// An order that was refused counts as filled.
    RefusedIsFilled,
    /// A refusal for a known id counts as any refusal.
    DuplicateIsRefusal,
    /// The venue's wish for silence is not heard.
    PauseIgnored,
    /// An error of the venue counts as a refusal.
    ErrorIsRefusal,
    /// The next attempt is for the whole leg.
    ResidualIsWhole,
    /// What was cancelled counts as not traded.
    CancelledIsUntraded,
    /// An order counts as ended when the venue takes the cancel.
    CancelReplyIsFinal,
    /// One empty answer proves that an order never arrived.
    AbsentAtOnce,
    /// Empty answers prove absence whatever executions and the position say.
    AbsentByOrderAlone,
    /// Trades of which only the sum is known claim no cash.
    CashUnclaimed,
    /// Sells count as cash when they are sent.
    ProceedsExpected,
    /// Buys do not wait for sells.
    BuysFirst,
    /// A question that failed counts as answered with nothing.
    ErrorIsEmpty,
    /// What is not among the open orders counts as cancelled.
    MissingIsCancelled,
    /// Orders and executions are told apart by the venue's number.
    MatchedByOrderId,
    /// Everybody's orders are cancelled at the end.
    CancelsAll,
    /// The position is not looked at.
    PositionIgnored,
    /// An execution counts as often as it is named.
    FillsCounted,
    /// The last answer is the truth.
    LastAnswerWins,
    /// The executions that were named are taken for all.
    FillsAreAll,
    /// Corrections of executions are not read.
    CorrectionsIgnored,
    /// An order with an execution that was first named with its correction counts as known after a while, whether or not
    /// anybody was asked, and a lot less its fee as explained.
    BlindIsKnown,
    /// Any quote prices an order.
    QuoteUnchecked,
    /// Whether an instrument trades is not asked.
    HaltUnchecked,
    /// Waiting is by the clock on the wall.
    WallClockWaits,
    /// The clock is not set when the venue finds it wrong.
    ClockNeverSet,
    /// After a crash an order without an answer counts as never sent.
    UnsentAfterCrash,
    /// The journal is not synced.
    NotSynced,
    /// Orders are sent while their record is being written.
    SentBeforeWritten,
    /// A record that could not be written counts as written.
    WriteErrorIgnored,
    /// A second process may write the journal.
    LockIgnored,
    /// The collar is not kept.
    CollarIgnored,
    /// Risk checks stop nothing.
    RiskIgnored,
    /// A leg that was given up counts as done.
    ResidualForgotten,
    /// What is left is what was planned.
    ResidualInexact,
    /// Something changes that the journal does not say.
    ChangedWithoutRecord,
    /// The kill switch stops nothing.
    KillIgnored,
    /// The kill switch is looked at between looks only.
    KillSeenLate,
    /// Messages are not counted.
    RateIgnored,
}
