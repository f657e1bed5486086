//! `ipo`: quoting periods of new issues.

use nanobook::rows::{Code, Header, Ipo};
use nanobook::{Price, Timestamp};

use crate::table::table;

table! {
    Ipo, "ipo", version 1, Header,
    {
        ipo_quotation_release_time: Option<Timestamp>,
        ipo_quotation_release_qualifier: Option<Code>,
        ipo_price: Option<Price>,
        tracking_number: u16,
    }
}
