//! `reg_sho`: short-sale price tests.

use nanobook::rows::{Code, Header, RegSho};

use crate::table::table;

table! {
    RegSho, "reg_sho", version 1, Header,
    {
        reg_sho_action: Option<Code>,
        tracking_number: u16,
    }
}
