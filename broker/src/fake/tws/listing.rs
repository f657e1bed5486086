//! What is listed of instruments: contracts, hours, ticks by price.

use std::collections::BTreeMap;

use nanobook::trading::decimal::{self, ONE, Plain};

use super::clock::day_text;
use super::desk::{Out, To, error};
use super::wire::Message;

const KNOWN: [&str; 4] = ["AAPL", "MSFT", "BRK B", "SPY"];

/// The market rule of American shares.
const CENTS: i64 = 26;

/// Hours and ticks by instrument; what was not set is open from yesterday to the end of next week, in cents.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Zone, all hours, regular hours.
    pub(super) hours: BTreeMap<String, [String; 3]>,
    /// Lowest prices of the bands, and their ticks, lowest first.
    pub(super) ticks: BTreeMap<String, Vec<(i128, i128)>>,
}

/// The contract of a stock; an unknown symbol has none.
pub(super) fn stock(symbol: &str) -> Option<Message> {
    let at = KNOWN.iter().position(|known| *known == symbol)?;
    let contract = Message::new()
        .with_int(1, 265_000 + i64::try_from(at).unwrap_or_default())
        .with_text(2, symbol)
        .with_text(3, "STK")
        .with_text(8, "SMART")
        .with_text(9, "NASDAQ")
        .with_text(10, "USD")
        .with_text(11, symbol)
        .with_text(12, "NMS");
    Some(contract)
}

/// The number of an instrument's own market rule.
fn own_rule(symbol: &str) -> i64 {
    let at = KNOWN.iter().position(|known| *known == symbol);
    1_000 + at.map_or(0, |at| i64::try_from(at).unwrap_or_default())
}

impl Listing {
    fn bands(&self, symbol: &str) -> &[(i128, i128)] {
        const DEFAULT: [(i128, i128); 1] = [(0, ONE / 100)];
        self.ticks.get(symbol).map_or(&DEFAULT, Vec::as_slice)
    }

    /// Whether a price is a multiple of the tick of its band.
    pub(super) fn takes(&self, symbol: &str, price: i128) -> bool {
        let band = self.bands(symbol).iter().rfind(|(edge, _)| *edge <= price);
        band.is_none_or(|(_, tick)| price % tick == 0)
    }

    pub(super) fn details(&self, req_id: i64, asked: &Message) -> Vec<Out> {
        let symbol = asked.text(2);
        let Some(contract) = stock(&symbol) else {
            let text = "No security definition has been found for the request";
            return vec![(To::Asker, 4, error(req_id, 200, text))];
        };
        let open = || {
            let all = format!("{}:0000-{}:2400", day_text(-1), day_text(7));
            ["US/Eastern".to_owned(), all.clone(), all]
        };
        let [zone, all, regular] = self.hours.get(&symbol).cloned().unwrap_or_else(open);
        let least = self.bands(&symbol).iter().map(|(_, tick)| *tick).min();
        let rule = if self.ticks.contains_key(&symbol) {
            own_rule(&symbol)
        } else {
            CENTS
        };
        let details = Message::new()
            .with_text(1, "NMS")
            .with_text(2, Plain(least.unwrap_or(ONE / 100)).to_string())
            .with_text(3, "LMT,MKT")
            .with_text(4, "NASDAQ,SMART")
            .with_int(5, 1)
            .with_text(12, zone)
            .with_text(13, all)
            .with_text(14, regular)
            // Of each exchange in its place; that of the first is another.
            .with_text(21, format!("9,{rule}"))
            .with_text(24, "0.0001")
            .with_text(25, "0.0001")
            .with_text(26, "100");
        let row = Message::new()
            .with_int(1, req_id)
            .with_message(2, &contract)
            .with_message(3, &details);
        vec![
            (To::Asker, 10, row),
            (To::Asker, 52, Message::new().with_int(1, req_id)),
        ]
    }

    /// The answer to the question for a market rule.
    pub(super) fn rule(&self, id: i64) -> Vec<Out> {
        let of = KNOWN.iter().find(|symbol| own_rule(symbol) == id);
        let bands = match (id, of) {
            (CENTS, _) => self.bands(""),
            (_, Some(symbol)) => self.bands(symbol),
            // Of an exchange that no order goes to.
            _ => &[(0, ONE)],
        };
        let mut answer = Message::new().with_int(1, id);
        for (edge, tick) in bands {
            let band = Message::new()
                .with_double(1, *edge as f64 / 1e9)
                .with_double(2, *tick as f64 / 1e9);
            answer = answer.and_message(2, &band);
        }
        vec![(To::Asker, 93, answer)]
    }

    pub(super) fn set_ticks(&mut self, symbol: &str, bands: &[[&str; 2]]) {
        let units = |text: &str| decimal::parse(text).unwrap_or_default();
        let bands = bands.iter().map(|[edge, tick]| (units(edge), units(tick)));
        self.ticks.insert(symbol.to_owned(), bands.collect());
    }
}
