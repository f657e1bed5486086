//! The one rule that turns weights into orders: what is backtested is what is sent.
//!
//! All orders of a row are sized at once, from one equity at one set of prices, so sales pay for buys and the order of
//! the symbols changes nothing. What the rule can't or may not trade, it reports.

use super::CostModel;

/// Orders of less than this part of equity are rounding, not orders.
const DUST: f64 = 1e-12;

/// Cash that is short by less than this part of equity is rounding.
const CASH_TOLERANCE: f64 = 1e-12;

/// How far from a whole number of lots still is one.
const LOT_TOLERANCE: f64 = 1e-9;

/// What equity the weights are parts of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sizing {
    /// Equity at the prices of the fill, before costs. vectorbt, cvxportfolio and others agree on it.
    #[default]
    PreCost,
    /// Equity that is left after the costs of these very orders.
    PostCost,
}

/// What happens when the orders of a row need more cash than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overdraft {
    /// Buys are scaled, all by the same factor, until cash is zero.
    #[default]
    Scale,
    /// Cash goes below zero: a margin account.
    Allow,
    /// None of the row's orders is sent.
    Reject,
}

/// Where an order goes when a weight has left its band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BandTo {
    /// To the target.
    #[default]
    Target,
    /// To the nearer edge of the band.
    Edge,
}

/// A number for all symbols, or one for each.
#[derive(Clone, Debug, PartialEq)]
pub enum PerSymbol {
    /// The same for all.
    All(f64),
    /// One for each symbol, in the order of the prices.
    Each(Vec<f64>),
}

impl Default for PerSymbol {
    fn default() -> Self {
        Self::All(0.0)
    }
}

impl PerSymbol {
    /// The number of a symbol; zero beyond the last.
    #[inline]
    pub fn get(&self, symbol: usize) -> f64 {
        match self {
            Self::All(value) => *value,
            Self::Each(values) => values.get(symbol).copied().unwrap_or(0.0),
        }
    }

    /// The numbers, one when it is the same for all.
    pub fn values(&self) -> &[f64] {
        match self {
            Self::All(value) => std::slice::from_ref(value),
            Self::Each(values) => values,
        }
    }

    /// Whether every number is zero.
    pub fn is_zero(&self) -> bool {
        self.values().iter().all(|value| *value == 0.0)
    }
}

/// How weights become orders.
///
/// # Examples
/// ```
/// use nanobook::portfolio::{CostModel, Holdings, PerSymbol, Plan, Rule};
///
/// let rule = Rule { lot: PerSymbol::All(1.0), ..Rule::default() };
/// let holdings = Holdings {
///     cash: 1_000.0,
///     qty: &[0.0, 10.0],
///     price: &[30.0, 50.0],
///     mark: &[30.0, 50.0],
///     volume: None,
/// };
/// let mut plan = Plan::default();
/// rule.plan(&[0.5, 0.0], &holdings, &CostModel::default(), &mut plan);
/// // Half of 1,500 is 25 shares of the first; the second is sold.
/// let orders: Vec<(usize, f64)> = plan.orders.iter().map(|o| (o.symbol, o.qty)).collect();
/// assert_eq!(orders, [(0, 25.0), (1, -10.0)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// What equity weights are parts of.
    pub sizing: Sizing,
    /// What happens without enough cash.
    pub overdraft: Overdraft,
    /// The smallest amount of shares; zero for fractions. The target is cut toward zero to whole lots.
    pub lot: PerSymbol,
    /// A name whose weight is off its target by less than this is left alone, unless the target is zero.
    pub no_trade_band: f64,
    /// Where an order goes when the weight has left the band.
    pub band_to: BandTo,
    /// Orders of less value are not sent, unless they close a position.
    pub min_order_value: f64,
    /// The most that a row may trade, buys and sales, as a part of equity.
    pub max_turnover: Option<f64>,
    /// The most that an order may take of the row's volume.
    pub max_participation: Option<f64>,
}

/// What is held, and at which prices it can trade.
#[derive(Clone, Copy, Debug)]
pub struct Holdings<'a> {
    /// Cash.
    pub cash: f64,
    /// Shares of each symbol, negative when short.
    pub qty: &'a [f64],
    /// The price at which a symbol trades now; NaN when it can't.
    pub price: &'a [f64],
    /// The last known price, for what can't trade; NaN when there never was one.
    pub mark: &'a [f64],
    /// Volumes; NaN when unknown.
    pub volume: Option<&'a [f64]>,
}

/// An order of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedOrder {
    /// The symbol's place in the prices.
    pub symbol: usize,
    /// Shares, negative for a sale.
    pub qty: f64,
    /// The price that it was sized at.
    pub price: f64,
}

/// Why something was not traded, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// There is no price in this row.
    NoPrice,
    /// There is no volume in this row, and a limit or a cost depends on it.
    NoVolume,
    /// The order was smaller than the least.
    MinOrderValue,
    /// The order was larger than its part of the volume.
    Participation,
    /// The row would have traded more than it may.
    Turnover,
    /// There was not enough cash.
    Cash,
}

impl Unmet {
    /// Its name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPrice => "no_price",
            Self::NoVolume => "no_volume",
            Self::MinOrderValue => "min_order_value",
            Self::Participation => "participation",
            Self::Turnover => "turnover",
            Self::Cash => "cash",
        }
    }
}

/// What a plan leaves undone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shortfall {
    /// The symbol's place in the prices.
    pub symbol: usize,
    /// Why.
    pub why: Unmet,
    /// Shares that the weights asked for, negative for a sale; NaN when that can't be said.
    pub wanted: f64,
    /// Shares that are left of them.
    pub planned: f64,
}

/// The orders of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Equity at the prices of the fill, before costs.
    pub equity: f64,
    /// The orders, in the order of the symbols.
    pub orders: Vec<PlannedOrder>,
    /// What is left undone.
    pub shortfalls: Vec<Shortfall>,
    /// The part of the buys that cash was enough for; 1 when it was enough for all.
    pub scaled: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            equity: f64::NAN,
            orders: Vec::new(),
            shortfalls: Vec::new(),
            scaled: 1.0,
        }
    }
}

/// A number of shares, cut toward zero to whole lots; any number when `lot` is zero.
///
/// What is a whole number of lots but for rounding counts as whole.
#[inline]
pub fn whole_lots(shares: f64, lot: f64) -> f64 {
    if lot <= 0.0 {
        return shares;
    }
    let lots = shares / lot;
    let nearest = lots.round();
    if (lots - nearest).abs() <= LOT_TOLERANCE * nearest.abs().max(1.0) {
        nearest * lot
    } else {
        lots.trunc() * lot
    }
}

impl Holdings<'_> {
    /// Equity, everything at the price at which it trades, or else the last known.
    pub fn equity(&self) -> f64 {
        let value = |symbol: usize| {
            let qty = self.qty[symbol];
            if qty == 0.0 {
                return 0.0;
            }
            let price = self.price[symbol];
            qty * if price.is_nan() {
                self.mark[symbol]
            } else {
                price
            }
        };
        self.cash + (0..self.qty.len()).map(value).sum::<f64>()
    }

    #[inline]
    fn volume(&self, symbol: usize) -> f64 {
        self.volume.map_or(f64::NAN, |volume| volume[symbol])
    }
}

impl Rule {
    /// The first field that can't be, as its name and value.
    pub fn fault(&self) -> Option<(&'static str, f64)> {
        let bad = |value: &f64| !(0.0..f64::INFINITY).contains(value);
        let lot = self.lot.values().iter().copied().find(bad);
        let plain = [
            ("no_trade_band", self.no_trade_band),
            ("min_order_value", self.min_order_value),
            ("max_turnover", self.max_turnover.unwrap_or(0.0)),
            ("max_participation", self.max_participation.unwrap_or(0.0)),
        ];
        lot.map(|lot| ("lot", lot))
            .or_else(|| plain.into_iter().find(|(_, value)| bad(value)))
    }

    /// Whether nothing but targets and cash decide, so that quantities need not be looked at one by one.
    pub(crate) fn is_plain(&self) -> bool {
        self.sizing == Sizing::PreCost
            && self.overdraft != Overdraft::Reject
            && self.lot.is_zero()
            && self.no_trade_band <= 0.0
            && self.min_order_value <= 0.0
            && self.max_turnover.is_none()
            && self.max_participation.is_none()
    }

    /// The orders that bring the holdings to the weights. A NaN weight leaves its name alone. Without equity there are
    /// no orders.
    ///
    /// # Panics
    /// When the slices differ in length.
    pub fn plan(
        &self,
        weights: &[f64],
        holdings: &Holdings<'_>,
        costs: &CostModel,
        plan: &mut Plan,
    ) {
        let symbols = weights.len();
        assert!(
            holdings.qty.len() == symbols
                && holdings.price.len() == symbols
                && holdings.mark.len() == symbols,
            "weights, quantities, prices and marks must be of one length"
        );
        plan.scaled = 1.0;
        plan.equity = holdings.equity();
        plan.orders.clear();
        plan.shortfalls.clear();
        if plan.equity.is_nan() || plan.equity <= 0.0 {
            return;
        }
        self.size(weights, holdings, costs, plan.equity, plan);
        if self.sizing == Sizing::PostCost {
            self.size_after_costs(weights, holdings, costs, plan);
        }
        self.limit_turnover(holdings, plan);
        self.limit_cash(holdings, costs, plan);
    }

    /// Orders from weights of a given equity.
    fn size(
        &self,
        weights: &[f64],
        holdings: &Holdings<'_>,
        costs: &CostModel,
        equity: f64,
        plan: &mut Plan,
    ) {
        plan.orders.clear();
        plan.shortfalls.clear();
        let needs_volume = self.max_participation.is_some() || costs.impact_bps > 0.0;
        for (symbol, &weight) in weights.iter().enumerate() {
            let qty = holdings.qty[symbol];
            if weight.is_nan() || (weight == 0.0 && qty == 0.0) {
                continue;
            }
            let lot = self.lot.get(symbol);
            let price = holdings.price[symbol];
            if price.is_nan() {
                let wanted = whole_lots(weight * equity / holdings.mark[symbol], lot) - qty;
                plan.shortfall(symbol, Unmet::NoPrice, wanted, 0.0);
                continue;
            }
            let mut aim = weight;
            let is_exit = weight == 0.0;
            if self.no_trade_band > 0.0 && !is_exit {
                let off = qty * price / plan.equity - weight;
                if off.abs() < self.no_trade_band {
                    continue;
                }
                if self.band_to == BandTo::Edge {
                    aim += self.no_trade_band.copysign(off);
                }
            }
            let wanted = whole_lots(aim * equity / price, lot) - qty;
            let value = wanted.abs() * price;
            if value <= DUST * plan.equity {
                continue;
            }
            if value < self.min_order_value && !is_exit {
                plan.shortfall(symbol, Unmet::MinOrderValue, wanted, 0.0);
                continue;
            }
            let volume = holdings.volume(symbol);
            if needs_volume && (volume.is_nan() || volume <= 0.0) {
                plan.shortfall(symbol, Unmet::NoVolume, wanted, 0.0);
                continue;
            }
            let mut planned = wanted;
            if let Some(part) = self.max_participation
                && wanted.abs() > part * volume
            {
                planned = whole_lots(part * volume, lot).copysign(wanted);
                plan.shortfall(symbol, Unmet::Participation, wanted, planned);
            }
            if planned != 0.0 {
                plan.orders.push(PlannedOrder {
                    symbol,
                    qty: planned,
                    price,
                });
            }
        }
    }

    /// Sizes again and again, each time with the equity that the costs of the last orders leave, until it stands still.
    fn size_after_costs(
        &self,
        weights: &[f64],
        holdings: &Holdings<'_>,
        costs: &CostModel,
        plan: &mut Plan,
    ) {
        let mut equity = plan.equity;
        for _ in 0..64 {
            let cost = |order: &PlannedOrder| {
                let volume = holdings.volume(order.symbol);
                costs.cash_out(order.qty, order.price, volume) - order.qty * order.price
            };
            let left = plan.equity - plan.orders.iter().map(cost).sum::<f64>();
            if left <= 0.0 || (left - equity).abs() <= 1e-15 * plan.equity {
                break;
            }
            equity = left;
            self.size(weights, holdings, costs, equity, plan);
        }
    }

    fn limit_turnover(&self, holdings: &Holdings<'_>, plan: &mut Plan) {
        let Some(most) = self.max_turnover else {
            return;
        };
        let value: f64 = plan.orders.iter().map(|o| o.qty.abs() * o.price).sum();
        if value > most * plan.equity {
            let part = most * plan.equity / value;
            self.scale(plan, holdings, part, Unmet::Turnover, |_| true);
        }
    }

    fn limit_cash(&self, holdings: &Holdings<'_>, costs: &CostModel, plan: &mut Plan) {
        if self.overdraft == Overdraft::Allow {
            return;
        }
        let out = |order: &PlannedOrder, part: f64| {
            let volume = holdings.volume(order.symbol);
            costs.cash_out(part * order.qty, order.price, volume)
        };
        let (mut have, mut need) = (holdings.cash, 0.0);
        for order in &plan.orders {
            if order.qty < 0.0 {
                have -= out(order, 1.0);
            } else {
                need += out(order, 1.0);
            }
        }
        if need <= 0.0 || have - need >= -CASH_TOLERANCE * plan.equity {
            return;
        }
        if self.overdraft == Overdraft::Reject {
            plan.scaled = 0.0;
            self.scale(plan, holdings, 0.0, Unmet::Cash, |_| true);
            return;
        }
        plan.scaled = if have <= 0.0 {
            0.0
        } else if costs.is_linear() {
            have / need
        } else {
            let buys = plan.orders.iter().filter(|order| order.qty > 0.0);
            part_within(have, |part| buys.clone().map(|buy| out(buy, part)).sum())
        };
        let part = plan.scaled;
        self.scale(plan, holdings, part, Unmet::Cash, |order| order.qty > 0.0);
    }

    /// Keeps a part of some orders, whole lots of it, and reports the rest.
    fn scale(
        &self,
        plan: &mut Plan,
        holdings: &Holdings<'_>,
        part: f64,
        why: Unmet,
        which: impl Fn(&PlannedOrder) -> bool,
    ) {
        let dust = DUST * plan.equity;
        let shortfalls = &mut plan.shortfalls;
        plan.orders.retain_mut(|order| {
            if !which(order) {
                return true;
            }
            let wanted = order.qty;
            // What was held may be no whole number of lots, after a split; an exit stays an exit when nothing is cut.
            order.qty = whole_lots(part * wanted, self.lot.get(order.symbol));
            if order.qty.abs() * order.price <= dust {
                order.qty = 0.0;
            }
            debug_assert!(order.symbol < holdings.qty.len());
            shortfalls.push(Shortfall {
                symbol: order.symbol,
                why,
                wanted,
                planned: order.qty,
            });
            order.qty != 0.0
        });
    }
}

impl Plan {
    fn shortfall(&mut self, symbol: usize, why: Unmet, wanted: f64, planned: f64) {
        if wanted != 0.0 {
            self.shortfalls.push(Shortfall {
                symbol,
                why,
                wanted,
                planned,
            });
        }
    }
}

/// The largest part, by halving, whose cost is no more than what is there; `cost` rises with the part.
fn part_within(have: f64, cost: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if cost(middle) <= have {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
