//! The table of a plan.

use std::fmt::{self, Write as _};

use nanobook::Side;

use super::{Amount, percent, price, side};
use crate::plan::{Plan, Row};

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// The largest orders of each side, and how many more there are.
    #[default]
    Short,
    /// Every row.
    Full,
}

/// A plan as a table of text.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    plan: &'a Plan,
    length: Length,
}

impl<'a> Table<'a> {
    /// Of a plan.
    pub const fn new(plan: &'a Plan, length: Length) -> Self {
        Self { plan, length }
    }
}

/// Rows of a part of the table that are shown unless all are asked for.
const SHOWN: usize = 15;

const HEADS: [&str; 11] = [
    "symbol",
    "held",
    "now",
    "target",
    "drift",
    "order",
    "limit",
    "value",
    "cost",
    "cash after",
    "leverage after",
];

/// Cells of a row, aligned with [`HEADS`], and what there is to say of it.
struct Line {
    cells: [String; HEADS.len()],
    note: &'static str,
}

impl Line {
    fn of(row: &Row) -> Self {
        let maybe = |part: Option<f64>| part.map_or(String::new(), percent);
        let order = row.order.as_ref();
        let text = |text: Option<String>| text.unwrap_or_default();
        Self {
            cells: [
                row.symbol.to_string(),
                if row.qty.is_zero() {
                    String::new()
                } else {
                    row.qty.to_string()
                },
                percent(row.now),
                maybe(row.target),
                maybe(row.drift()),
                text(order.map(|order| format!("{} {}", side(order.side), order.qty))),
                text(order.map(|order| price(order.limit))),
                text(order.map(|order| Amount(order.notional()).to_string())),
                text(order.map(|_| Amount(row.cost).to_string())),
                text(row.cash_after.map(|cash| Amount(cash).to_string())),
                text(row.leverage_after.map(|leverage| format!("{leverage:.3}"))),
            ],
            note: row.note.map_or("", |note| note.as_str()),
        }
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan;
        let side_of = |row: &&Row| row.order.as_ref().map(|order| order.side);
        let part = |wanted: Option<Side>| -> Vec<&Row> {
            plan.rows
                .iter()
                .filter(|row| side_of(row) == wanted)
                .collect()
        };
        let parts = [
            ("sells", part(Some(Side::Sell))),
            ("buys", part(Some(Side::Buy))),
            ("without order", part(None)),
        ];
        let shown: Vec<Vec<Line>> = parts
            .iter()
            .map(|(_, rows)| {
                let most = match self.length {
                    Length::Full => rows.len(),
                    Length::Short => SHOWN,
                };
                rows.iter().take(most).map(|row| Line::of(row)).collect()
            })
            .collect();
        let mut widths = HEADS.map(str::len);
        for line in shown.iter().flatten() {
            for (width, cell) in widths.iter_mut().zip(&line.cells) {
                *width = (*width).max(cell.len());
            }
        }
        write_line(f, &HEADS.map(str::to_owned), &widths, "")?;
        for ((name, rows), lines) in parts.iter().zip(&shown) {
            for line in lines {
                write_line(f, &line.cells, &widths, line.note)?;
            }
            if rows.len() > lines.len() {
                let rest = &rows[lines.len()..];
                let value: f64 = rest
                    .iter()
                    .map(|row| row.order.map_or(0.0, |order| order.notional()))
                    .sum();
                let value = if value > 0.0 {
                    format!(", {} in all", Amount(value))
                } else {
                    String::new()
                };
                writeln!(f, "  … {} more {name}{value}", rest.len())?;
            }
        }
        writeln!(f)?;
        writeln!(
            f,
            "equity {} {}, cash {} → {}, leverage {:.3} → {:.3}, turnover {}, expected cost {}",
            Amount(plan.equity),
            plan.currency,
            Amount(plan.cash.as_f64()),
            Amount(plan.cash_after),
            plan.leverage,
            plan.leverage_after,
            percent(plan.turnover()),
            Amount(plan.cost())
        )?;
        for remark in &plan.remarks {
            writeln!(f, "note: {remark}")?;
        }
        let unmet = plan.unmet().count();
        if unmet > 0 {
            writeln!(
                f,
                "note: {unmet} symbols stay off their targets; the last column says why"
            )?;
        }
        Ok(())
    }
}

fn write_line(
    f: &mut fmt::Formatter<'_>,
    cells: &[String; HEADS.len()],
    widths: &[usize; HEADS.len()],
    note: &str,
) -> fmt::Result {
    let mut line = format!("{:<width$}", cells[0], width = widths[0]);
    for (cell, width) in cells.iter().zip(widths).skip(1) {
        write!(line, "  {cell:>width$}")?;
    }
    line.push_str("  ");
    line.push_str(note);
    writeln!(f, "{}", line.trim_end())
}
