//! `system_events`: phases of the day.

use nanobook::rows::{Code, MarketHeader, SystemEvent};

use crate::table::table;

table! {
    SystemEvent, "system_events", version 1, MarketHeader,
    {
        event_code: Option<Code>,
        tracking_number: u16,
    }
}
