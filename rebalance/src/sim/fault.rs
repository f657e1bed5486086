//! What can go wrong.

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Fault {
    /// N1: a request never reaches the venue.
    RequestLost,
    /// N2: the venue's answer never reaches us.
    AnswerLost,
    /// N3: the connection breaks.
    Disconnect,
    /// N4: the connection looks alive and nothing comes back.
    HalfOpen,
    /// N5: an answer comes after we have stopped waiting for it.
    SlowAnswer,
    /// N6: the venue refuses to be connected to.
    ReconnectRefused,
    /// V1: the venue refuses an order.
    Reject,
    /// V2: an order is delivered twice, and the second refusal is what we hear.
    DuplicateId,
    /// V3: the venue wants us to be silent.
    Pacing,
    /// V4: the venue does not know itself whether it has executed a request.
    ServerError,
    /// V5: an order trades in small parts.
    Partial,
    /// V6: the venue cancels what is left of an order.
    VenueCancel,
    /// V7: an order trades while it is being cancelled.
    CancelRace,
    /// V8: orders, executions, positions and cash show late.
    LateVisibility,
    /// V9: a question is answered with an error.
    QueryError,
    /// V10: an answer lacks its tail.
    Truncated,
    /// V11: ids of orders are given a second time.
    IdRollback,
    /// V12: somebody else trades in the account.
    Foreign,
    /// C1: a row comes twice.
    DuplicateRow,
    /// C2: an answer is older than the one before.
    Reordered,
    /// C3: an execution is missing from an answer.
    DroppedRow,
    /// C4: an execution is corrected or taken back.
    Correction,
    /// D1: a quote is stale, one-sided, crossed or no number.
    BadQuote,
    /// D2: an instrument does not trade.
    Halted,
    /// T1: the clock on the wall jumps.
    ClockJump,
    /// T2: the venue finds our clock wrong until we connect anew.
    ClockRefused,
    /// P1: the process dies.
    Crash,
    /// P2: the power fails, and the journal's last bytes are lost.
    TornJournal,
    /// P3: the disk is full.
    DiskFull,
    /// P4: a second process is started.
    SecondInstance,
}

impl Fault {
    /// How many there are.
    pub const COUNT: usize = 30;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::RequestLost,
        Self::AnswerLost,
        Self::Disconnect,
        Self::HalfOpen,
        Self::SlowAnswer,
        Self::ReconnectRefused,
        Self::Reject,
        Self::DuplicateId,
        Self::Pacing,
        Self::ServerError,
        Self::Partial,
        Self::VenueCancel,
        Self::CancelRace,
        Self::LateVisibility,
        Self::QueryError,
        Self::Truncated,
        Self::IdRollback,
        Self::Foreign,
        Self::DuplicateRow,
        Self::Reordered,
        Self::DroppedRow,
        Self::Correction,
        Self::BadQuote,
        Self::Halted,
        Self::ClockJump,
        Self::ClockRefused,
        Self::Crash,
        Self::TornJournal,
        Self::DiskFull,
        Self::SecondInstance,
    ];
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(u32);

impl Faults {
    /// These.
    pub fn of(faults: &[Fault]) -> Self {
        Self(faults.iter().fold(0, |set, fault| set | 1 << *fault as u8))
    }

    /// Whether it is one of them.
    pub const fn has(self, fault: Fault) -> bool {
        self.0 >> fault as u8 & 1 == 1
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }
}
