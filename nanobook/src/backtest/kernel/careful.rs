//! A row symbol by symbol, by every rule.

use super::Kernel;
use crate::backtest::config::{ActionKind, OnMissing};
use crate::backtest::error::{Error, Result};
use crate::backtest::panel::Field;
use crate::backtest::record::{Event, EventKind, Fill, FillReason, Row, Sink, StopEvent};
use crate::backtest::stops::Bar;
use crate::portfolio::{Holdings, OrderCost};

impl<S: Sink> Kernel<'_, '_, '_, S> {
    /// Takes a row's closes as marks before anything of the row happens, for a strategy that decides at the close.
    pub(super) fn look(&mut self, row: usize) {
        for (mark, &price) in self
            .state
            .mark
            .iter_mut()
            .zip(self.close.row(row, self.ahead))
        {
            if !price.is_nan() {
                *mark = price;
            }
        }
    }

    /// A row, symbol by symbol, by every rule, in the order of DESIGN: dividends, splits, ended names, orders or else
    /// stops, interest, marks.
    pub(super) fn step(&mut self, row: usize, weights: Option<(&[f64], usize)>) -> Result<()> {
        self.row = Row {
            row,
            scaled: 1.0,
            ..Row::default()
        };
        self.entered_now.fill(false);
        self.act(row);
        if !self.stale.is_empty() {
            self.close_ended(row);
        }
        let mut is_rebalance = false;
        if let Some((weights, from)) = weights {
            let time = self.weight_times[from];
            let names = self.panel.symbols();
            let mut own = std::mem::take(&mut self.weights);
            is_rebalance = self.limits.check(weights, (from, time), names, &mut own)?;
            if is_rebalance {
                self.sink.target(row, &own);
                self.order(row, &mut own)?;
            }
            self.weights = own;
        }
        self.watch(row, is_rebalance);
        self.mark(row);
        if self.config.accrues() {
            self.accrue();
        }
        let r = &mut self.row;
        r.cash = self.state.cash;
        r.equity = r.cash + r.net;
        r.cost = r.commission + r.slippage + r.spread + r.impact + r.borrow;
        self.emit()
    }

    /// Dividends and splits.
    fn act(&mut self, row: usize) {
        while let Some(&(at, symbol, kind)) = self.actions.get(self.next_action)
            && at == row
        {
            self.next_action += 1;
            let held = self.state.qty[symbol];
            let (event, value, done) = match kind {
                ActionKind::Dividend(per_share) => {
                    let paid = held * per_share;
                    self.state.cash += paid;
                    self.row.dividends += paid;
                    (EventKind::Dividend, per_share, paid)
                }
                ActionKind::Split(ratio) => {
                    self.state.qty[symbol] *= ratio;
                    self.state.mark[symbol] /= ratio;
                    if let Some(watcher) = &mut self.watcher {
                        watcher.split(symbol, ratio);
                    }
                    (EventKind::Split, ratio, held * ratio)
                }
            };
            if held != 0.0 {
                self.sink.event(&Event {
                    row,
                    symbol: Some(symbol),
                    kind: event,
                    wanted: value,
                    done,
                });
            }
        }
    }

    /// Pays out held names whose prices have ended, or are missing for too long.
    fn close_ended(&mut self, row: usize) {
        let most = self.config.stale_after.unwrap_or(usize::MAX);
        for symbol in 0..self.state.qty.len() {
            let is_missing = self.close.row(row, self.ahead)[symbol].is_nan();
            let stale = &mut self.stale[symbol];
            *stale = if is_missing { *stale + 1 } else { 0 };
            let qty = self.state.qty[symbol];
            if qty == 0.0 || !is_missing {
                continue;
            }
            let has_ended = self.panel.last_row(symbol).is_none_or(|last| last < row);
            // Bought at an open, never closed: there is no last price to pay.
            if (has_ended || *stale > most) && !self.state.mark[symbol].is_nan() {
                let price = self.state.mark[symbol];
                self.state.cash += qty * price;
                self.state.qty[symbol] = 0.0;
                if let Some(watcher) = &mut self.watcher {
                    watcher.filled(symbol, qty, 0.0, price);
                }
                self.sink.fill(&Fill {
                    row,
                    symbol,
                    qty: -qty,
                    price,
                    cost: OrderCost::default(),
                    reason: FillReason::Delisted,
                });
                self.sink.event(&Event {
                    row,
                    symbol: Some(symbol),
                    kind: EventKind::Delisted,
                    wanted: -qty,
                    done: -qty,
                });
            }
        }
    }

    /// The orders of a row of weights.
    fn order(&mut self, row: usize, weights: &mut [f64]) -> Result<()> {
        self.keep_flat(row, weights);
        self.look_for_prices(row, weights)?;
        let price = match &mut self.fill {
            Some(fill) => fill.row(row, self.ahead),
            None => self.close.row(row, self.ahead),
        };
        let holdings = Holdings {
            cash: self.state.cash,
            qty: &self.state.qty,
            price,
            mark: &self.state.mark,
            volume: match &mut self.volume {
                Some(volume) => Some(volume.row(row, self.ahead)),
                None => None,
            },
        };
        let mut plan = std::mem::take(&mut self.plan);
        self.config
            .rule
            .plan(weights, &holdings, &self.config.costs, &mut plan);
        if plan.equity <= 0.0 {
            self.sink.event(&Event {
                row,
                symbol: None,
                kind: EventKind::NoEquity,
                wanted: f64::NAN,
                done: plan.equity,
            });
        }
        for short in &plan.shortfalls {
            self.sink.event(&Event {
                row,
                symbol: Some(short.symbol),
                kind: EventKind::Unmet(short.why),
                wanted: short.wanted,
                done: short.planned,
            });
        }
        self.row.scaled = plan.scaled;
        for order in &plan.orders {
            let volume = match &mut self.volume {
                Some(volume) => volume.row(row, self.ahead)[order.symbol],
                None => f64::NAN,
            };
            if self.venue.is_some() {
                self.send(row, order.symbol, order.qty);
            } else {
                self.book(
                    row,
                    order.symbol,
                    order.qty,
                    (order.price, volume),
                    FillReason::Rebalance,
                );
            }
        }
        self.plan = plan;
        Ok(())
    }

    /// Names that a stop keeps flat get no weight.
    fn keep_flat(&mut self, row: usize, weights: &mut [f64]) {
        let Some(watcher) = &self.watcher else {
            return;
        };
        for (symbol, weight) in weights.iter_mut().enumerate() {
            if *weight != 0.0 && !weight.is_nan() && watcher.is_blocked(symbol, row) {
                self.sink.event(&Event {
                    row,
                    symbol: Some(symbol),
                    kind: EventKind::Blocked,
                    wanted: *weight,
                    done: 0.0,
                });
                *weight = 0.0;
            }
        }
    }

    /// Weights on names without a price: before the first one it is an error, or they are spread over the others.
    fn look_for_prices(&mut self, row: usize, weights: &mut [f64]) -> Result<()> {
        if self.stale.is_empty() {
            return Ok(());
        }
        let price = match &mut self.fill {
            Some(fill) => fill.row(row, self.ahead),
            None => self.close.row(row, self.ahead),
        };
        let (mut all, mut priced) = (0.0, 0.0);
        for (symbol, weight) in weights.iter_mut().enumerate() {
            if *weight == 0.0 || weight.is_nan() {
                continue;
            }
            all += weight.abs();
            if price[symbol].is_nan() {
                let is_first = self.state.mark[symbol].is_nan();
                let has_ended = self.panel.last_row(symbol).is_none_or(|last| last < row);
                match self.config.on_missing {
                    OnMissing::Error if is_first => {
                        return Err(Error::NoPriceYet {
                            symbol: self.panel.symbols()[symbol].clone(),
                            row,
                            time: self.panel.times()[row],
                            weight: *weight,
                        });
                    }
                    OnMissing::Renormalize if is_first || has_ended => {
                        *weight = 0.0;
                        continue;
                    }
                    _ => {}
                }
            }
            priced += weight.abs();
        }
        if self.config.on_missing == OnMissing::Renormalize && priced > 0.0 && priced < all {
            for weight in weights {
                *weight *= all / priced;
            }
        }
        Ok(())
    }

    /// Books one fill at the price of the row, made worse by its costs.
    fn book(
        &mut self,
        row: usize,
        symbol: usize,
        qty: f64,
        (reference, volume): (f64, f64),
        reason: FillReason,
    ) -> f64 {
        let (price, cost) = self.config.costs.order(qty, reference, volume);
        self.settle(
            &Fill {
                row,
                symbol,
                qty,
                price,
                cost,
                reason,
            },
            reference,
        );
        price
    }

    fn settle(&mut self, fill: &Fill, reference: f64) {
        let Fill {
            symbol,
            qty,
            price,
            cost,
            ..
        } = *fill;
        let before = self.state.qty[symbol];
        let after = before + qty;
        self.state.qty[symbol] = after;
        self.state.cash -= qty * price + cost.commission;
        let r = &mut self.row;
        r.turnover += qty.abs() * price;
        r.commission += cost.commission;
        r.slippage += cost.slippage;
        r.spread += cost.spread;
        r.impact += cost.impact;
        if let Some(watcher) = &mut self.watcher {
            watcher.filled(symbol, before, after, reference);
            self.entered_now[symbol] = before == 0.0 || (before > 0.0) != (after > 0.0);
        }
        if self.state.mark[symbol].is_nan() {
            self.state.mark[symbol] = reference;
        }
        self.sink.fill(fill);
    }

    /// Sends an order to the venue and books what comes back.
    fn send(&mut self, row: usize, symbol: usize, qty: f64) {
        let time = self.panel.times()[row];
        let Some(venue) = &mut self.venue else {
            return;
        };
        let executions = venue.execute(time, symbol, qty);
        let mut done = 0.0;
        for execution in executions {
            let qty = execution.qty.copysign(qty);
            done += qty;
            let commission = self
                .config
                .costs
                .commission(qty.abs(), qty.abs() * execution.price);
            let fill = Fill {
                row,
                symbol,
                qty,
                price: execution.price,
                cost: OrderCost {
                    commission,
                    ..OrderCost::default()
                },
                reason: FillReason::Rebalance,
            };
            self.settle(&fill, execution.price);
        }
        if (qty - done).abs() > 1e-9 {
            self.sink.event(&Event {
                row,
                symbol: Some(symbol),
                kind: EventKind::Unfilled,
                wanted: qty,
                done,
            });
        }
    }

    fn bar(&mut self, row: usize, symbol: usize) -> Bar {
        let close = self.close.row(row, self.ahead)[symbol];
        match &mut self.bars {
            Some([open, high, low]) => Bar {
                open: open.row(row, self.ahead)[symbol],
                high: high.row(row, self.ahead)[symbol],
                low: low.row(row, self.ahead)[symbol],
                close,
            },
            None => Bar {
                open: f64::NAN,
                high: f64::NAN,
                low: f64::NAN,
                close,
            },
        }
    }

    /// Stops, unless weights came, and what follows them.
    fn watch(&mut self, row: usize, is_rebalance: bool) {
        let Some(watcher) = &self.watcher else {
            return;
        };
        let intrabar = watcher.watches_intrabar();
        let at_open = self.config.fill.field() == Field::Open;
        for symbol in 0..self.state.qty.len() {
            let bar = self.bar(row, symbol);
            if bar.close.is_nan() {
                continue;
            }
            let qty = self.state.qty[symbol];
            let Some(watcher) = &mut self.watcher else {
                return;
            };
            if !intrabar {
                watcher.see(symbol, &bar);
            }
            if qty != 0.0 {
                let hit = (!is_rebalance)
                    .then(|| watcher.hit(symbol, qty, &bar))
                    .flatten();
                match hit {
                    None => {
                        let whole_row = !self.entered_now[symbol] || at_open;
                        watcher.follow(symbol, qty, &bar, whole_row);
                    }
                    Some(hit) => {
                        watcher.stopped(symbol, row);
                        let volume = match &mut self.volume {
                            Some(volume) => volume.row(row, self.ahead)[symbol],
                            None => f64::NAN,
                        };
                        // Without a volume there is no impact to compute; the position is closed all the same.
                        let volume = if volume > 0.0 { volume } else { f64::INFINITY };
                        let reason = FillReason::Stop(hit.kind);
                        let exit_price = self.book(row, symbol, -qty, (hit.exit, volume), reason);
                        self.sink.stop(&StopEvent {
                            row,
                            symbol,
                            kind: hit.kind,
                            level: hit.level,
                            trigger: hit.trigger,
                            exit_price,
                            qty: -qty,
                        });
                    }
                }
            }
            if intrabar && let Some(watcher) = &mut self.watcher {
                watcher.see(symbol, &bar);
            }
        }
    }

    /// Marks what is held at the close, or at its last price.
    fn mark(&mut self, row: usize) {
        let prices = self.close.row(row, self.ahead);
        let (mut net, mut gross, mut stale) = (0.0, 0.0, 0);
        for (symbol, &price) in prices.iter().enumerate() {
            if !price.is_nan() {
                self.state.mark[symbol] = price;
            }
            let qty = self.state.qty[symbol];
            if qty != 0.0 {
                let value = qty * self.state.mark[symbol];
                net += value;
                gross += value.abs();
                stale += u32::from(price.is_nan());
            }
        }
        (self.row.net, self.row.gross, self.row.stale) = (net, gross, stale);
    }

    /// Borrowing and interest on what is held at the close.
    fn accrue(&mut self) {
        let (costs, periods) = (&self.config.costs, self.config.periods_per_year);
        let short = 0.5 * (self.row.gross - self.row.net);
        self.row.borrow = costs.borrow(short, periods);
        self.row.interest = costs.interest(self.state.cash, periods);
        self.state.cash += self.row.interest - self.row.borrow;
    }
}
