//! What a gateway can do wrong.

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next order: the connection is cut before anything is answered.
    DropOrder {
        /// Whether the order was taken.
        processed: bool,
    },
    /// The next order fills by half; then the connection is cut.
    DropInMidFill,
    /// From now on nothing on this connection is read or answered, and it stays open. The operating system still takes
    /// what is sent.
    HalfOpen,
    /// The next connections are refused because the client id is in use.
    ClientIdBusy {
        /// How many.
        times: u32,
    },
    /// Every order status comes twice, as Interactive Brokers' documentation warns.
    RepeatStatus,
    /// After the nightly restart ids start again: the next connections are told that order id 1 is free.
    RollBack,
    /// Callbacks of the next execution are lost, as around a loss of connectivity.
    LoseCallbacks,
    /// An execution is told before the status of its order.
    ExecutionFirst,
    /// Commissions come as -1, as long as they are not known.
    PendingCommission,
    /// The next order is refused.
    Refuse {
        /// The code.
        code: i32,
        /// The words.
        text: String,
    },
    /// A warning comes with the next order, which is taken all the same.
    Warn {
        /// The code.
        code: i32,
        /// The words.
        text: String,
    },
    /// Orders are not to be seen in lists, for so many lists.
    Hide {
        /// How many.
        lists: u32,
    },
    /// The next answer to this request (its number in the protocol) never ends.
    NoEnd {
        /// Its number.
        request: i32,
    },
    /// A request (its number in the protocol) is not answered at all.
    NoAnswer {
        /// Its number.
        request: i32,
    },
    /// Quotes are refused for want of a subscription.
    NoMarketData,
    /// Quotes come late, and say so.
    Delayed,
    /// The next cancel meets an order that fills first.
    FillBeforeCancel,
    /// The next answer to the executions has the name of another account.
    Foreign,
}
