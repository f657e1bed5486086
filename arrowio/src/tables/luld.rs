//! `luld`: limit-up limit-down auction collars.

use nanobook::Price;
use nanobook::rows::{Header, Luld};

use crate::table::table;

table! {
    Luld, "luld", version 1, Header,
    {
        auction_collar_reference_price: Option<Price>,
        upper_auction_collar_price: Option<Price>,
        lower_auction_collar_price: Option<Price>,
        auction_collar_extension: u32,
        tracking_number: u16,
    }
}
