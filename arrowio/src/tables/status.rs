//! `status`: halts and resumptions.

use nanobook::rows::{Code, Header, Status, StatusKind};

use crate::table::table;

table! {
    Status, "status", version 1, Header,
    {
        kind: StatusKind,
        state: Option<Code>,
        reason: Option<Code>,
        market: Option<Code>,
        tracking_number: u16,
    }
}
