//! The approved plan: all that a run may do.

use nanobook::trading::{ClientOrderId, Instrument, NewOrder, Units};
use nanobook::{Money, OrderKind, Price, Side, Symbol, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::settings::Settings;
use crate::error::{Error, Result};

/// What was approved. It is the journal's first record, and nothing that it does not allow is ever sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Names the run: two runs with the same name are the same run.
    pub run_id: String,
    /// The account.
    pub account_id: String,
    /// Whether its money is play money.
    pub is_paper: bool,
    /// Venue time at which the positions were read; executions are asked for since then.
    pub ts: Timestamp,
    /// Cash when the positions were read.
    pub cash: Money,
    /// Equity then; `None` when the venue did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity: Option<Money>,
    /// What is traded, one leg an instrument.
    pub legs: Vec<Leg>,
    /// What else is held, and quoted for risk checks.
    pub watch: Vec<Symbol>,
    /// How it is done.
    pub settings: Settings,
}

/// An instrument's part of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// The venue's rules for it, with its symbol.
    pub instrument: Instrument,
    /// Sold or bought.
    pub side: Side,
    /// How much in all, above zero, in whole lots.
    pub qty: Units,
    /// What was held when the plan was made.
    pub start: Units,
    /// The middle of the quote when the plan was made.
    pub ref_px: Price,
    /// The collar: no order of this leg is priced beyond it. A multiple of the tick.
    pub worst_px: Price,
    /// In how many parts, one after the other; 1 for all at once.
    pub slices: u32,
}

/// How many characters of a run's digest stand in its orders' ids.
const TAG_LEN: usize = 12;

impl Leg {
    /// What is traded.
    pub const fn symbol(&self) -> Symbol {
        self.instrument.symbol
    }

    /// What will be held.
    #[must_use]
    pub fn target(&self) -> Units {
        self.start
            .checked_add(self.qty.signed(self.side))
            .unwrap_or(self.start)
    }
}

impl Plan {
    /// What the ids of all orders of this run begin with, and those of no other run.
    ///
    /// # Examples
    /// ```
    /// use nanobook_rebalance::core::Plan;
    /// assert!(Plan::prefix("2026-11-23 DU1").starts_with("nb-"));
    /// assert_eq!(Plan::prefix("2026-11-23 DU1").len(), 16);
    /// ```
    pub fn prefix(run_id: &str) -> String {
        let digest = Sha256::digest(run_id.as_bytes());
        let tag = digest
            .iter()
            .take(8)
            .fold(0, |tag: u64, byte| tag << 8 | u64::from(*byte));
        format!("nb-{:0TAG_LEN$x}-", tag >> (64 - 4 * TAG_LEN))
    }

    /// The id of an attempt at a leg, a function of run, leg and attempt.
    ///
    /// # Panics
    /// Never: 16 characters and two numbers of 32 bits fit.
    pub fn client_order_id(prefix: &str, leg: u32, attempt: u32) -> ClientOrderId {
        // 16 + 8 + 1 + 8 = 33 of 36 characters.
        format!("{prefix}{leg:x}-{attempt:x}")
            .parse()
            .expect("33 letters, digits and dashes at most")
    }

    /// Checks that the plan can be carried out.
    ///
    /// # Errors
    /// With the first leg that can't be, and why.
    pub fn check(&self) -> Result<()> {
        let mut symbols = std::collections::HashSet::new();
        for (at, leg) in self.legs.iter().enumerate() {
            let rules = &leg.instrument;
            let fault = if !symbols.insert(leg.symbol()) {
                Some(format!("{} has a leg already", leg.symbol()))
            } else if leg.qty.0 <= 0 || rules.lot.0 <= 0 || leg.qty.0 % rules.lot.0 != 0 {
                Some(format!("{} is not lots of {}", leg.qty, rules.lot))
            } else if rules.tick.0 <= 0 || leg.worst_px.0 <= 0 || leg.worst_px.0 % rules.tick.0 != 0
            {
                Some(format!(
                    "{:?} is not ticks of {:?}",
                    leg.worst_px, rules.tick
                ))
            } else if leg.slices == 0 {
                Some("no slices".into())
            } else {
                None
            };
            if let Some(detail) = fault {
                return Err(Error::Plan { leg: at, detail });
            }
        }
        Ok(())
    }

    /// Whether an order is within the plan: the leg's symbol and side, not more than the leg, and within its collar.
    pub fn allows(&self, leg: u32, order: &NewOrder) -> bool {
        let Some(leg) = self.legs.get(leg as usize) else {
            return false;
        };
        let OrderKind::Limit { price } = order.kind else {
            return false;
        };
        let within = match leg.side {
            Side::Buy => price <= leg.worst_px && price.0 > 0,
            Side::Sell => price >= leg.worst_px,
        };
        order.symbol == leg.symbol()
            && order.side == leg.side
            && order.qty.0 > 0
            && order.qty <= leg.qty
            && within
    }
}

#[cfg(test)]
mod tests {
    use nanobook::trading::{InstrumentState, TimeInForce};

    use super::*;

    fn leg() -> Leg {
        Leg {
            instrument: Instrument {
                symbol: "A".parse().unwrap(),
                currency: "USD".parse().unwrap(),
                base: None,
                tick: Price(10),
                lot: Units(10),
                min_qty: None,
                max_qty: None,
                min_price: None,
                max_price: None,
                min_notional: None,
                max_notional: None,
                state: InstrumentState::Trading,
            },
            side: Side::Sell,
            qty: Units(100),
            start: Units(100),
            ref_px: Price(100),
            worst_px: Price(90),
            slices: 1,
        }
    }

    fn plan(legs: Vec<Leg>) -> Plan {
        Plan {
            run_id: "test".into(),
            account_id: "SIM".into(),
            is_paper: true,
            ts: Timestamp(0),
            cash: Money(0),
            equity: None,
            legs,
            watch: Vec::new(),
            settings: Settings::default(),
        }
    }

    #[test]
    fn plans_that_cannot_be_are_refused_with_the_leg() {
        assert!(plan(vec![leg()]).check().is_ok());
        let odd = |change: fn(&mut Leg)| {
            let mut leg = leg();
            change(&mut leg);
            leg
        };
        let other = odd(|leg| leg.instrument.symbol = "B".parse().unwrap());
        for bad in [
            leg(),
            odd(|leg| leg.qty = Units(105)),
            odd(|leg| leg.qty = Units(0)),
            odd(|leg| leg.worst_px = Price(91)),
            odd(|leg| leg.slices = 0),
            odd(|leg| leg.instrument.tick = Price(0)),
        ] {
            let first = if bad == leg() { leg() } else { other.clone() };
            let refused = plan(vec![first, bad]).check();
            assert!(
                matches!(refused, Err(Error::Plan { leg: 1, .. })),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn only_orders_within_the_plan_are_allowed() {
        let plan = plan(vec![leg()]);
        let order = NewOrder {
            client_order_id: Plan::client_order_id(&Plan::prefix("test"), 0, u32::MAX),
            symbol: "A".parse().unwrap(),
            side: Side::Sell,
            qty: Units(100),
            kind: OrderKind::Limit { price: Price(90) },
            tif: TimeInForce::Day,
        };
        assert!(plan.allows(0, &order));
        let limit = |price| OrderKind::Limit {
            price: Price(price),
        };
        let no = [
            NewOrder {
                qty: Units(110),
                ..order
            },
            NewOrder {
                qty: Units(0),
                ..order
            },
            NewOrder {
                side: Side::Buy,
                ..order
            },
            NewOrder {
                symbol: "B".parse().unwrap(),
                ..order
            },
            NewOrder {
                kind: limit(80),
                ..order
            },
            NewOrder {
                kind: OrderKind::Market,
                ..order
            },
        ];
        for order in no {
            assert!(!plan.allows(0, &order), "{order:?}");
        }
        assert!(!plan.allows(1, &order));
    }
}
