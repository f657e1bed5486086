//! What every broker must do, as scenarios that give rows. Two brokers conform when their rows are the same.
//!
//! A [`Stage`] is a broker and the market behind it. Prices and quantities are the same everywhere, so that rows can be
//! compared as they stand; fees, ids and times differ from venue to venue and are checked within each.

use std::collections::BTreeSet;

use nanobook::trading::{Fill, NewOrder, Order, OrderState, TimeInForce, Units, decimal};
use nanobook::{Money, OrderKind, Side, Symbol, Timestamp};

use crate::error::Result;
use crate::outcome::Outcome;
use crate::{Broker, OrderKey};

/// A broker, and the market behind it, which the suite moves.
///
/// The account starts with 100,000 in cash and can be at play with prices around 100 and steps of 0.01 and 1.
pub trait Stage {
    /// The broker.
    type Broker: Broker;

    /// The broker as it is, connected or not.
    fn broker(&mut self) -> &mut Self::Broker;

    /// An instrument that trades.
    fn symbol(&self) -> Symbol;

    /// How long a resting order lives here.
    fn resting(&self) -> TimeInForce;

    /// A new quote of the instrument: bid, ask, and how many at each. Resting orders meet it.
    fn show(&mut self, quote: [&str; 3]);

    /// The connection breaks, and the process forgets what it knew; the broker is as it is when a process starts.
    fn restart(&mut self);
}

/// A step of a scenario and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Scenario and step.
    pub step: String,
    /// What it came to.
    pub result: String,
}

struct Run<'a, S> {
    stage: &'a mut S,
    rows: Vec<Row>,
    count: u32,
}

/// Runs all scenarios.
///
/// # Errors
/// When a question that must be answered is not.
///
/// # Panics
/// When the broker contradicts itself: fills that do not add up to their orders, or to cash and positions.
pub fn run<S: Stage>(stage: &mut S) -> Result<Vec<Row>> {
    let mut run = Run {
        stage,
        rows: Vec::new(),
        count: 0,
    };
    run.before_connect();
    run.stage.broker().connect()?;
    let symbol = run.stage.symbol();
    let known = run.stage.broker().instruments(&[symbol])?;
    run.note("instrument", &format!("{} known", known.len()));
    let start = run.holdings()?;
    run.taking()?;
    run.parts()?;
    run.resting()?;
    run.immediate()?;
    run.refusals()?;
    run.cancels()?;
    run.restart()?;
    run.balance(start)?;
    Ok(run.rows)
}

const QUOTE: [&str; 3] = ["100", "101", "10"];

impl<S: Stage> Run<'_, S> {
    fn note(&mut self, step: &str, result: &str) {
        self.rows.push(Row {
            step: step.to_owned(),
            result: result.to_owned(),
        });
    }

    /// A limit order with an id of its own.
    fn order(&mut self, side: Side, qty: &str, price: &str) -> NewOrder {
        self.count += 1;
        NewOrder {
            client_order_id: format!("conform-{}", self.count).parse().expect("an id"),
            symbol: self.stage.symbol(),
            side,
            qty: qty.parse().expect("a quantity"),
            kind: OrderKind::Limit {
                price: decimal::price(price).expect("a price"),
            },
            tif: self.stage.resting(),
        }
    }

    /// What became of a request, in a word.
    fn word(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Confirmed(_) => "confirmed",
            // Who refuses depends on what each side knows.
            Outcome::Rejected(_) | Outcome::Denied(_) => "refused",
            Outcome::Unknown(_) => "unknown",
        }
    }

    /// An order as the venue knows it, in words.
    fn told(order: &Order) -> String {
        let state = match order.state {
            // Some venues say that what is left of an immediate order expires, others that it is cancelled.
            OrderState::Cancelled | OrderState::Expired => "ended",
            state => state.as_str(),
        };
        let average = order.avg_px.map_or("none".to_owned(), |px| px.to_string());
        format!(
            "{state}, {} of {} at {average}",
            order.filled_qty, order.qty
        )
    }

    fn send(&mut self, step: &str, order: &NewOrder) -> Result<()> {
        let outcome = self.stage.broker().submit(order);
        let word = Self::word(&outcome);
        self.note(step, word);
        self.look(step, order)
    }

    fn look(&mut self, step: &str, order: &NewOrder) -> Result<()> {
        let found = self.stage.broker().order(OrderKey::of(order))?;
        let told: Vec<String> = found.iter().map(Self::told).collect();
        self.note(step, &told.join("; "));
        Ok(())
    }

    fn before_connect(&mut self) {
        let order = self.order(Side::Buy, "1", "100");
        let broker = self.stage.broker();
        let silent = broker.positions().is_err()
            && broker.open_orders().is_err()
            && broker.account().is_err();
        let outcome = broker.submit(&order);
        self.note(
            "before connecting",
            &format!("silent: {silent}, {}", Self::word(&outcome)),
        );
    }

    fn taking(&mut self) -> Result<()> {
        self.stage.show(QUOTE);
        let quotes = {
            let symbol = self.stage.symbol();
            self.stage.broker().quotes(&[symbol])?
        };
        let quote = quotes
            .first()
            .map(|q| format!("{:?} {:?}", q.bid_px, q.ask_px));
        self.note("quote", &quote.unwrap_or_default());
        let order = self.order(Side::Buy, "4", "101");
        self.send("buy what is offered", &order)?;
        let order = NewOrder {
            kind: OrderKind::Market,
            ..self.order(Side::Buy, "2", "101")
        };
        self.send("buy at the market", &order)?;
        let order = self.order(Side::Sell, "3", "100");
        self.send("sell to the bid", &order)
    }

    fn parts(&mut self) -> Result<()> {
        self.stage.show(QUOTE);
        let order = self.order(Side::Buy, "15", "101");
        self.send("more than is offered", &order)?;
        self.stage.show(["100", "101", "3"]);
        self.look("more is offered", &order)?;
        let outcome = self.stage.broker().cancel(OrderKey::of(&order));
        let word = Self::word(&outcome);
        self.note("cancel the rest", word);
        self.look("cancel the rest", &order)
    }

    fn resting(&mut self) -> Result<()> {
        self.stage.show(QUOTE);
        let order = self.order(Side::Buy, "5", "100.5");
        self.send("rest between bid and ask", &order)?;
        let open = self.stage.broker().open_orders()?;
        self.note(
            "open orders",
            &open.iter().map(Self::told).collect::<Vec<_>>().join("; "),
        );
        self.stage.show(["99", "100", "10"]);
        self.look("the market comes", &order)?;
        let open = self.stage.broker().open_orders()?;
        self.note("open orders", &open.len().to_string());
        Ok(())
    }

    fn immediate(&mut self) -> Result<()> {
        self.stage.show(QUOTE);
        let order = NewOrder {
            tif: TimeInForce::Fok,
            ..self.order(Side::Buy, "15", "101")
        };
        self.send("all or nothing", &order)?;
        let order = NewOrder {
            tif: TimeInForce::Ioc,
            ..self.order(Side::Buy, "15", "101")
        };
        self.send("what there is", &order)
    }

    fn refusals(&mut self) -> Result<()> {
        self.stage.show(QUOTE);
        let too_large = self.order(Side::Buy, "5000", "101");
        self.send("more than there is cash for", &too_large)?;
        let off_tick = self.order(Side::Buy, "1", "100.001");
        self.send("off the tick", &off_tick)?;
        let off_lot = self.order(Side::Buy, "1.0000001", "100");
        self.send("off the lot", &off_lot)?;
        let nothing = self.order(Side::Buy, "0", "100");
        self.send("nothing", &nothing)?;
        let once = self.order(Side::Buy, "1", "101");
        self.send("once", &once)?;
        self.send("and again", &once)
    }

    fn cancels(&mut self) -> Result<()> {
        let never = self.order(Side::Buy, "1", "90");
        let outcome = self.stage.broker().cancel(OrderKey::of(&never));
        let word = Self::word(&outcome);
        self.note("cancel what never was", word);
        self.stage.show(QUOTE);
        let filled = self.order(Side::Buy, "1", "101");
        self.send("a fill", &filled)?;
        let outcome = self.stage.broker().cancel(OrderKey::of(&filled));
        let word = Self::word(&outcome);
        self.note("cancel what has filled", word);
        let rests = self.order(Side::Buy, "1", "90");
        self.send("a resting order", &rests)?;
        let outcome = self.stage.broker().cancel(OrderKey::of(&rests));
        let word = Self::word(&outcome);
        self.note("cancel what rests", word);
        self.look("cancel what rests", &rests)?;
        let outcome = self.stage.broker().cancel(OrderKey::of(&rests));
        let word = Self::word(&outcome);
        self.note("cancel it again", word);
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.stage.show(QUOTE);
        let rests = self.order(Side::Buy, "12", "101");
        self.send("before a restart", &rests)?;
        let symbol = self.stage.symbol();
        let before = self.stage.broker().fills_since(&[symbol], Timestamp(0))?;
        self.stage.restart();
        self.stage.broker().connect()?;
        self.stage.broker().instruments(&[symbol])?;
        self.look("after a restart", &rests)?;
        let after = self.stage.broker().fills_since(&[symbol], Timestamp(0))?;
        self.note("the same fills", &(before == after).to_string());
        // The process knows nothing of the order; it must not be there twice.
        self.send("sent again after a restart", &rests)?;
        let outcome = self.stage.broker().cancel(OrderKey::of(&rests));
        let word = Self::word(&outcome);
        self.note("cancelled after a restart", word);
        self.look("cancelled after a restart", &rests)
    }

    /// Cash, and what is held of the instrument.
    fn holdings(&mut self) -> Result<(Money, Units)> {
        let symbol = self.stage.symbol();
        let cash = self.stage.broker().account()?.cash;
        let positions = self.stage.broker().positions()?;
        let held = positions.iter().find(|p| p.symbol == symbol);
        Ok((cash, held.map_or(Units::ZERO, |p| p.qty)))
    }

    /// Cash and positions follow from the fills, and orders too, each fill once.
    fn balance(&mut self, start: (Money, Units)) -> Result<()> {
        let symbol = self.stage.symbol();
        let fills: Vec<Fill> = self.stage.broker().fills_since(&[symbol], Timestamp(0))?;
        let ids: BTreeSet<&str> = fills.iter().map(|fill| fill.trade_id.as_str()).collect();
        assert_eq!(ids.len(), fills.len(), "a fill came twice");
        let (mut cash, mut held) = (start.0.0, start.1.0);
        for fill in &fills {
            let signed = fill.qty.signed(fill.side).0;
            cash -= signed * i128::from(fill.price.0) / decimal::ONE;
            held += signed;
            let fee = fill.fee.map_or(0, |fee| fee.0);
            let in_asset = fill
                .fee_currency
                .is_some_and(|c| symbol.as_str().starts_with(c.as_str()));
            if in_asset {
                held -= fee;
            } else {
                cash -= fee;
            }
        }
        assert_eq!(
            self.holdings()?,
            (Money(cash), Units(held)),
            "fills do not add up to the account"
        );
        for number in 1..=self.count {
            let key = OrderKey {
                client_order_id: format!("conform-{number}").parse().expect("an id"),
                symbol,
            };
            for order in self.stage.broker().order(key)? {
                let own = fills
                    .iter()
                    .filter(|f| f.client_order_id == Some(key.client_order_id));
                let traded: i128 = own.map(|fill| fill.qty.0).sum();
                assert_eq!(
                    order.filled_qty.0, traded,
                    "fills of {} do not add up",
                    key.client_order_id
                );
            }
        }
        self.note("fills", &fills.len().to_string());
        Ok(())
    }
}
