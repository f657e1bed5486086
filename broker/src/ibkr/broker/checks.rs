//! What is asked and checked before an order leaves.

use std::collections::HashMap;
use std::time::Instant;

use ibapi::Error as RawError;
use ibapi::contracts::ContractDetails;
use ibapi::orders::PlaceOrder;
use ibapi::subscriptions::SubscriptionItem;
use nanobook::trading::{Instrument, InstrumentState, NewOrder, Units};
use nanobook::{OrderKind, Symbol, Timestamp};

use super::super::config::TradingHours;
use super::super::convert;
use super::super::rules::{Hours, Rules, Ticks};
use super::{IbkrBroker, NO_SUCH_CONTRACT, protocol};
use crate::error::Result;
use crate::outcome::Denial;
use crate::{Margin, Venue};

impl IbkrBroker {
    /// Whether an order would trade and not wait.
    fn is_open(&self, rules: &Rules, now: Timestamp) -> bool {
        match self.config.hours {
            TradingHours::Regular => rules.regular.is_open(now),
            TradingHours::Extended => rules.extended.is_open(now),
            TradingHours::Any => true,
        }
    }

    /// Asks for the rules of an instrument; `None` when the gateway does not know it.
    pub(super) fn ask_rules(
        &self,
        symbol: Symbol,
        now: Timestamp,
        known: &mut HashMap<i32, Ticks>,
    ) -> Result<Option<Rules>> {
        let what = "contract details";
        let contract = convert::stock(symbol, self.config.currency);
        // The client's own call waits for ever when nobody answers.
        let asked = self
            .client()?
            .contract_details_stream(&contract)
            .subscribe();
        let details = match asked.and_then(|rows| rows.collect_to_end_within(self.timeout())) {
            Ok(details) => details,
            Err(RawError::Notice(notice)) if notice.code == NO_SUCH_CONTRACT => return Ok(None),
            Err(error) => return Err(self.raw_error(what, &error)),
        };
        let [details] = details.as_slice() else {
            let found = format!("{} contracts for {symbol}", details.len());
            return protocol(what, Err(found));
        };
        let ticks = self.ask_ticks(details, known)?;
        let size = |size: Option<f64>| {
            size.map(|size| protocol(what, convert::qty(size)))
                .transpose()
        };
        let step = size(details.size_increment)?.filter(|step| step.0 > 0);
        let lot = match step {
            Some(step) if self.config.fractional => step,
            Some(step) if step > Units::whole(1) => step,
            _ => Units::whole(1),
        };
        let hours = |listed: &[String]| {
            let hours = Hours::parse(listed, &details.time_zone_id);
            protocol(what, hours.map_err(|e| format!("{symbol}: {e}")))
        };
        let least = protocol(what, convert::price(details.min_tick))?;
        let mut rules = Rules {
            instrument: Instrument {
                symbol,
                currency: self.config.currency,
                base: None,
                tick: ticks.smallest().unwrap_or(least),
                lot,
                min_qty: size(details.min_size)?.filter(|least| *least > lot),
                max_qty: None,
                min_price: None,
                max_price: None,
                min_notional: None,
                max_notional: None,
                state: InstrumentState::Trading,
            },
            ticks: if ticks.bands().is_empty() {
                Ticks::new(vec![(nanobook::Price(0), least)])
            } else {
                ticks
            },
            regular: hours(&details.liquid_hours)?,
            extended: hours(&details.trading_hours)?,
        };
        // Halts come with quotes; hours are known here.
        if !self.is_open(&rules, now) {
            rules.instrument.state = InstrumentState::Closed;
        }
        Ok(Some(rules))
    }

    /// Ticks by price: the market rule that is listed at the place of the exchange that orders go to.
    fn ask_ticks(
        &self,
        details: &ContractDetails,
        known: &mut HashMap<i32, Ticks>,
    ) -> Result<Ticks> {
        let what = "a market rule";
        let exchanges = &details.valid_exchanges;
        let place = exchanges.iter().position(|exchange| exchange == "SMART");
        let listed = details.market_rule_ids.get(place.unwrap_or_default());
        let Some(id) = listed.and_then(|id| id.trim().parse::<i32>().ok()) else {
            return Ok(Ticks::default());
        };
        if let Some(ticks) = known.get(&id) {
            return Ok(ticks.clone());
        }
        let rule = self
            .client()?
            .market_rule(id)
            .map_err(|e| self.raw_error(what, &e))?;
        let mut bands = Vec::new();
        for band in &rule.price_increments {
            bands.push((
                protocol(what, convert::price(band.low_edge))?,
                protocol(what, convert::price(band.increment))?,
            ));
        }
        let ticks = Ticks::new(bands);
        known.insert(id, ticks.clone());
        Ok(ticks)
    }

    pub(super) fn denial(&self, order: &NewOrder) -> std::result::Result<(), Denial> {
        if self.client().is_err() {
            return Err(Denial::NotConnected);
        }
        let client_order_id = order.client_order_id;
        if self.sent.contains(&client_order_id) {
            return Err(Denial::AlreadySent { client_order_id });
        }
        let rules = self.obeyed(order)?;
        // A dead connection would take the order and never answer.
        let now = self.probe().map_err(|error| Denial::Unprepared {
            what: "the question for the gateway's time",
            detail: error.to_string(),
        })?;
        let closed = |hours: &Hours| Denial::Closed {
            symbol: order.symbol,
            wait_ms: hours
                .next_open(now)
                .and_then(|opens| u64::try_from((opens.0 - now.0) / 1_000_000).ok()),
        };
        let is_market = order.kind == OrderKind::Market;
        match self.config.hours {
            TradingHours::Any => Ok(()),
            // Documented: a market order does not trade outside regular hours, and would wait for them.
            TradingHours::Extended if !is_market && !rules.extended.is_open(now) => {
                Err(closed(&rules.extended))
            }
            TradingHours::Extended if !is_market => Ok(()),
            _ if rules.regular.is_open(now) => Ok(()),
            _ => Err(closed(&rules.regular)),
        }
    }

    /// The rules of an order's instrument, if it keeps them.
    fn obeyed(&self, order: &NewOrder) -> std::result::Result<&Rules, Denial> {
        let filter = |filter, expected: String, found: String| {
            Err(Denial::Filter {
                filter,
                expected,
                found,
            })
        };
        if !matches!(order.kind, OrderKind::Limit { .. } | OrderKind::Market) {
            return Err(Denial::Unsupported {
                venue: Venue::Ibkr,
                what: "a stop".to_owned(),
            });
        }
        let symbol = order.symbol;
        let rules = self
            .rules
            .get(&symbol)
            .ok_or(Denial::UnknownInstrument { symbol })?;
        let lot = rules.instrument.lot;
        if order.qty.0 <= 0 || order.qty.0 % lot.0.max(1) != 0 {
            let found = order.qty.to_string();
            return filter("lot", format!("a multiple of {lot}"), found);
        }
        if !self.config.fractional && !convert::is_whole(order.qty) {
            let expected = "whole shares in this account".to_owned();
            return filter("fractional", expected, order.qty.to_string());
        }
        if let Some(price) = order.kind.price()
            && let Some(expected) = rules.ticks.fault(price)
        {
            return filter("tick", expected, price.to_string());
        }
        if !convert::survives(order) {
            let expected = "what a double can hold".to_owned();
            return filter("precision", expected, order.qty.to_string());
        }
        Ok(rules)
    }

    /// Asks what an order would do, with the order marked so that it is not placed.
    pub(super) fn ask_margin(&mut self, order: &NewOrder) -> Result<Margin> {
        let what = "what an order would do";
        self.client()?;
        let contract = convert::stock(order.symbol, self.config.currency);
        let mut raw = convert::raw_order(order, &self.config);
        raw.what_if = true;
        let order_id = self.next_order_id;
        self.next_order_id += 1;
        let asked = self.client()?.place_order(order_id, &contract, &raw);
        let events = asked.map_err(|e| self.raw_error(what, &e))?;
        let end = Instant::now() + self.timeout();
        loop {
            let wait = end.saturating_duration_since(Instant::now());
            match events.next_timeout(wait) {
                Some(Ok(SubscriptionItem::Data(PlaceOrder::OpenOrder(data))))
                    if data.order.order_ref == order.client_order_id.as_str() =>
                {
                    return Ok(convert::margin(&data.order_state));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.raw_error(what, &error)),
                None => return Err(self.late(what)),
            }
        }
    }
}
