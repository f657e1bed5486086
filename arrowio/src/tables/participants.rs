//! `participants`: market participants' positions.

use nanobook::rows::{Code, Header, Participant};

use crate::table::table;

table! {
    Participant, "participants", version 1, Header,
    {
        mpid: Option<Code>,
        primary_market_maker: Option<Code>,
        market_maker_mode: Option<Code>,
        market_participant_state: Option<Code>,
        tracking_number: u16,
    }
}
