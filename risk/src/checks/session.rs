//! Checks of the day and of the process.

use nanobook::Money;
use nanobook::trading::Account;
use nanobook::trading::decimal::ONE;

use crate::exact::Exact;
use crate::report::{Finding, Input};
use crate::situation::Session;

/// `ORDER_RATE`, `MESSAGE_RATE` and `REPEATED_EXECUTION`: what was sent in the window and what is to be sent.
pub fn rate(before: Option<u32>, more: usize, limit: i128) -> Finding {
    let Some(before) = before else {
        return Finding::missing(Input::Session);
    };
    match i128::try_from(more) {
        Ok(more) => Finding::at_most(limit, (i128::from(before) + more) * ONE),
        Err(_) => Finding::overflow(Some(limit)),
    }
}

/// `KILL_SWITCH` and `HALTED`: known not to be so.
pub fn is_not(state: Option<bool>) -> Finding {
    match state {
        Some(state) => Finding::flag(!state),
        None => Finding::missing(Input::Session),
    }
}

/// `MARKET_CLOSED`: known to be open.
pub fn market_open(open: Option<bool>) -> Finding {
    match open {
        Some(open) => Finding::flag(open),
        None => Finding::missing(Input::Session),
    }
}

/// `DAILY_LOSS` and `DRAWDOWN`: what equity lost since it was `before`, over that.
pub fn loss(before: Option<Money>, equity: Option<Money>, limit: i128) -> Finding {
    let Some(before) = before.and_then(Exact::money) else {
        return Finding::missing(Input::Day);
    };
    let Some(equity) = equity else {
        return Finding::missing(Input::Equity);
    };
    let lost = Exact::money(equity).and_then(|equity| before.minus(equity));
    super::account::ratio_at_most(limit, lost, before)
}

/// `ACCOUNT_MODE`: the broker's account is the one that was meant, and paper or live as was meant.
pub fn account_mode(account: Option<&Account>, session: &Session<'_>) -> Finding {
    let Some(account) = account else {
        return Finding::missing(Input::Account);
    };
    match (session.account_id, session.paper) {
        (Some(id), Some(paper)) => {
            Finding::flag(account.account_id == id && account.is_paper == paper)
        }
        _ => Finding::missing(Input::Session),
    }
}

/// `RECONCILE_DIRTY`: nothing is left unexplained.
pub fn reconciled(unexplained: Option<u32>) -> Finding {
    match unexplained {
        Some(count) => Finding::at_most(0, i128::from(count) * ONE),
        None => Finding::missing(Input::Session),
    }
}
