//! `imbalance`: net order imbalance before an auction.

use nanobook::rows::{Code, Header, Imbalance};
use nanobook::{Price, Qty, Side};

use crate::table::table;

table! {
    Imbalance, "imbalance", version 1, Header,
    {
        paired_qty: Qty,
        imbalance_qty: Qty,
        imbalance_side: Option<Side>,
        far_px: Option<Price>,
        near_px: Option<Price>,
        ref_px: Option<Price>,
        cross_type: Option<Code>,
        variation: Option<Code>,
        imbalance_direction: Option<Code>,
        tracking_number: u16,
    }
}
