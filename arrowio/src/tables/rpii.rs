//! `rpii`: retail price improvement indicators.

use nanobook::rows::{Code, Header, Rpii};

use crate::table::table;

table! {
    Rpii, "rpii", version 1, Header,
    {
        interest_flag: Option<Code>,
        tracking_number: u16,
    }
}
