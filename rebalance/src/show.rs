//! A plan for people: a table that stays readable, the question before anything is sent, and a picture.

mod picture;
mod table;

use std::fmt;

use nanobook::{Price, Side};

use crate::plan::{Draft, Plan};

pub use picture::svg;
pub use table::{Length, Table};

/// A number with separators of thousands and two decimals.
///
/// # Examples
/// ```
/// use nanobook_rebalance::show::Amount;
/// assert_eq!(Amount(-1_234_567.891).to_string(), "-1,234,567.89");
/// assert_eq!(Amount(f64::NAN).to_string(), "?");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount(pub f64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_finite() {
            return f.pad("?");
        }
        let text = format!("{:.2}", self.0.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
        // Nothing is minus nothing.
        let is_zero = text.bytes().all(|byte| byte == b'0' || byte == b'.');
        let sign = if self.0 < 0.0 && !is_zero { "-" } else { "" };
        f.pad(&format!("{sign}{}.{fraction}", grouped(whole)))
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A part of one in per cent, with two decimals.
fn percent(part: f64) -> String {
    if part.is_finite() {
        // Nothing is minus nothing.
        let text = format!("{:.2} %", part * 100.0);
        if text == "-0.00 %" {
            "0.00 %".to_owned()
        } else {
            text
        }
    } else {
        "?".to_owned()
    }
}

/// What is asked before anything is sent: whose account, play money or real, how much, and the largest orders.
#[derive(Clone, Copy, Debug)]
pub struct Confirmation<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The broker's name.
    pub broker: &'a str,
    /// Whether the money is real.
    pub is_live: bool,
    /// What the risk checks found, in short.
    pub risk: &'a str,
}

impl fmt::Display for Confirmation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LARGEST: usize = 5;
        let plan = self.plan;
        let money = if self.is_live {
            "LIVE: this is real money"
        } else {
            "paper: play money"
        };
        writeln!(
            f,
            "account   {} at {} ({money})",
            plan.account_id, self.broker
        )?;
        let line = |side: Side| {
            let (count, value) = plan
                .of_side(side)
                .fold((0_usize, 0.0), |(count, sum), order| {
                    (count + 1, sum + order.notional())
                });
            format!("{count} for {}", Amount(value))
        };
        let (sells, buys) = (line(Side::Sell), line(Side::Buy));
        writeln!(f, "orders    sells {sells}, buys {buys} {}", plan.currency)?;
        writeln!(
            f,
            "notional  {} {}, {} of equity; expected cost {}",
            Amount(plan.notional()),
            plan.currency,
            percent(plan.turnover()),
            Amount(plan.cost())
        )?;
        writeln!(f, "risk      {}", self.risk)?;
        let mut largest: Vec<&Draft> = plan.orders().collect();
        largest.sort_by(|a, b| b.notional().total_cmp(&a.notional()));
        for (at, order) in largest.iter().take(LARGEST).enumerate() {
            let head = if at == 0 { "largest" } else { "" };
            writeln!(
                f,
                "{head:<9} {} {} {} at {} or better, {}",
                side(order.side),
                order.qty,
                order.symbol,
                price(order.limit),
                Amount(order.notional())
            )?;
        }
        if largest.len() > LARGEST {
            writeln!(f, "          and {} smaller ones", largest.len() - LARGEST)?;
        }
        Ok(())
    }
}

/// A price with two decimals at least.
fn price(price: Price) -> String {
    let text = price.to_string();
    match text.split_once('.') {
        None => format!("{text}.00"),
        Some((_, decimals)) if decimals.len() == 1 => format!("{text}0"),
        Some(_) => text,
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
