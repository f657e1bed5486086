//! `direct_listing`: direct listings with capital raise.

use nanobook::rows::{Code, DirectListing, Header};
use nanobook::{Price, Timestamp};

use crate::table::table;

table! {
    DirectListing, "direct_listing", version 1, Header,
    {
        open_eligibility_status: Option<Code>,
        minimum_allowable_price: Option<Price>,
        maximum_allowable_price: Option<Price>,
        near_execution_price: Option<Price>,
        near_execution_time: Option<Timestamp>,
        lower_price_range_collar: Option<Price>,
        upper_price_range_collar: Option<Price>,
        tracking_number: u16,
    }
}
