//! A plan as a picture: the weights now and by the targets, symbol by symbol.

use std::fmt::Write as _;

use nanobook::Side;

use super::{Amount, percent, price, side};
use crate::plan::{Plan, Row};

/// Symbols of a picture; more would not be read.
const SHOWN: usize = 40;
const ROW: usize = 22;
const TOP: usize = 64;
const LEFT: f64 = 110.0;
const WIDE: f64 = 420.0;

/// A picture of a plan, as a page of SVG: for each of the symbols that move most a bar of its weight now, a mark at its
/// target, and its order. It needs nothing else, and looks the same on dark and on light.
///
/// # Panics
/// Never: writing to a text can't fail.
#[expect(clippy::too_many_lines, reason = "a page from top to bottom")]
pub fn svg(plan: &Plan) -> String {
    let size = |row: &&Row| row.order.map_or(0.0, |order| order.notional());
    let mut rows: Vec<&Row> = plan
        .rows
        .iter()
        .filter(|row| row.now != 0.0 || row.target.is_some_and(|target| target != 0.0))
        .collect();
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.symbol.cmp(&b.symbol)));
    let hidden = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let weights = rows
        .iter()
        .flat_map(|row| [row.now, row.after, row.target.unwrap_or(0.0)]);
    let (low, high) = weights.fold((0.0_f64, 1e-9_f64), |(low, high), weight| {
        (low.min(weight), high.max(weight))
    });
    let x = |weight: f64| LEFT + (weight - low) / (high - low) * WIDE;
    let height = TOP + rows.len() * ROW + 34;
    let mut out = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(out, "{text}");
    };
    put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" width=\"860\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">"
    ));
    put(format_args!(
        "<style>.bg{{fill:#fff}}text{{fill:#222}}.now{{fill:#9aa7b8}}.buy{{fill:#1f8a5b}}.sell{{fill:#c2452d}}\
         .mark{{stroke:#222;stroke-width:2}}.zero{{stroke:#bbb}}\
         @media(prefers-color-scheme:dark){{.bg{{fill:#16181c}}text{{fill:#ddd}}.mark{{stroke:#eee}}.zero{{stroke:#555}}}}\
         </style>"
    ));
    put(format_args!(
        "<rect class=\"bg\" width=\"860\" height=\"{height}\"/>"
    ));
    put(format_args!(
        "<text x=\"16\" y=\"24\" font-size=\"15\">{}: {} orders, {} {} ({} of equity)</text>",
        escaped(&plan.account_id),
        plan.orders().count(),
        Amount(plan.notional()),
        plan.currency,
        percent(plan.turnover())
    ));
    put(format_args!(
        "<text x=\"16\" y=\"44\">grey: weight now; colour: what is bought or sold; line: target. \
         Cash {} → {}, leverage {:.2} → {:.2}</text>",
        Amount(plan.cash.as_f64()),
        Amount(plan.cash_after),
        plan.leverage,
        plan.leverage_after
    ));
    for (at, row) in rows.iter().enumerate() {
        let y = TOP + at * ROW;
        let middle = y + 14;
        put(format_args!(
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            escaped(row.symbol.as_str())
        ));
        let mut bar = |class: &str, from: f64, to: f64, inset: usize| {
            let (from, to) = (x(from.min(to)), x(from.max(to)));
            put(format_args!(
                "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{}\" width=\"{:.1}\" height=\"{}\"/>",
                y + 2 + inset,
                to - from,
                16 - 2 * inset
            ));
        };
        bar("now", 0.0, row.now, 0);
        if let Some(order) = &row.order {
            let class = match order.side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            };
            bar(class, row.now, row.after, 4);
        }
        if let Some(target) = row.target {
            let x = x(target);
            put(format_args!(
                "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y}\" y2=\"{}\"/>",
                y + 20
            ));
        }
        let words = match (&row.order, row.note) {
            (Some(order), _) => format!(
                "{} → {}: {} {} at {}",
                percent(row.now),
                percent(row.after),
                side(order.side),
                order.qty,
                price(order.limit)
            ),
            (None, Some(note)) => format!("{}: {note}", percent(row.now)),
            (None, None) => percent(row.now),
        };
        put(format_args!(
            "<text x=\"{}\" y=\"{middle}\">{words}</text>",
            LEFT + WIDE + 12.0
        ));
    }
    let zero = x(0.0);
    put(format_args!(
        "<line class=\"zero\" x1=\"{zero:.1}\" x2=\"{zero:.1}\" y1=\"{}\" y2=\"{}\"/>",
        TOP - 4,
        TOP + rows.len() * ROW
    ));
    if hidden > 0 {
        put(format_args!(
            "<text x=\"16\" y=\"{}\">and {hidden} more symbols</text>",
            height - 12
        ));
    }
    out.push_str("</svg>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
