//! `mwcb`: market-wide circuit breakers.

use nanobook::Price;
use nanobook::rows::{Code, MarketHeader, Mwcb};

use crate::table::table;

table! {
    Mwcb, "mwcb", version 1, MarketHeader,
    {
        level_1: Option<Price>,
        level_2: Option<Price>,
        level_3: Option<Price>,
        breached_level: Option<Code>,
        tracking_number: u16,
    }
}
