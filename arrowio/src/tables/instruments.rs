//! `instruments`: the stock directory.

use nanobook::rows::{Code, Header, StockDirectory};

use crate::table::table;

table! {
    StockDirectory, "instruments", version 1, Header,
    {
        market_category: Option<Code>,
        financial_status_indicator: Option<Code>,
        round_lot_size: u32,
        round_lots_only: Option<Code>,
        issue_classification: Option<Code>,
        issue_sub_type: Option<Code>,
        authenticity: Option<Code>,
        short_sale_threshold_indicator: Option<Code>,
        ipo_flag: Option<Code>,
        luld_reference_price_tier: Option<Code>,
        etp_flag: Option<Code>,
        etp_leverage_factor: u32,
        inverse_indicator: Option<Code>,
        tracking_number: u16,
    }
}
