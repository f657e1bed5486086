//! Instruments and filters as the venue lists them.

use nanobook::trading::decimal::{self, DecimalError};
use nanobook::trading::{Instrument, InstrumentState, Units};
use nanobook::{Money, Price, Symbol};
use serde::Deserialize;

use super::filters::{Band, Rules, Steps};

/// An instrument as `exchangeInfo` lists it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    pub(super) symbol: String,
    status: String,
    base_asset: String,
    quote_asset: String,
    filters: Vec<Filter>,
}

/// The filters of an account on an instrument, as `myFilters` lists them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnFilters {
    #[serde(rename = "exchangeFilters")]
    exchange: Vec<Filter>,
    #[serde(rename = "symbolFilters")]
    symbol: Vec<Filter>,
    #[serde(rename = "assetFilters")]
    asset: Vec<Filter>,
}

/// A filter. Those that bear on neither limit nor market orders (icebergs, order lists, amendments, trailing deltas) and
/// those that this version does not know are left to the venue.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "filterType", rename_all_fields = "camelCase")]
pub(super) enum Filter {
    #[serde(rename = "PRICE_FILTER")]
    Price {
        min_price: String,
        max_price: String,
        tick_size: String,
    },
    #[serde(rename = "LOT_SIZE")]
    Lot {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    #[serde(rename = "MARKET_LOT_SIZE")]
    MarketLot {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    #[serde(rename = "NOTIONAL")]
    Notional {
        min_notional: String,
        max_notional: String,
        apply_min_to_market: bool,
        apply_max_to_market: bool,
        #[serde(default)]
        avg_price_mins: u32,
    },
    #[serde(rename = "MIN_NOTIONAL")]
    MinNotional {
        min_notional: String,
        apply_to_market: bool,
        #[serde(default)]
        avg_price_mins: u32,
    },
    #[serde(rename = "PERCENT_PRICE")]
    Percent {
        multiplier_up: String,
        multiplier_down: String,
        #[serde(default)]
        avg_price_mins: u32,
    },
    #[serde(rename = "PERCENT_PRICE_BY_SIDE")]
    PercentBySide {
        bid_multiplier_up: String,
        bid_multiplier_down: String,
        ask_multiplier_up: String,
        ask_multiplier_down: String,
        #[serde(default)]
        avg_price_mins: u32,
    },
    #[serde(rename = "MAX_NUM_ORDERS")]
    MaxNumOrders { max_num_orders: u32 },
    #[serde(rename = "MAX_NUM_ALGO_ORDERS")]
    MaxNumAlgoOrders { max_num_algo_orders: u32 },
    #[serde(rename = "MAX_POSITION")]
    MaxPosition { max_position: String },
    #[serde(rename = "EXCHANGE_MAX_NUM_ORDERS")]
    ExchangeMaxNumOrders { max_num_orders: u32 },
    #[serde(rename = "EXCHANGE_MAX_NUM_ALGO_ORDERS")]
    ExchangeMaxNumAlgoOrders { max_num_algo_orders: u32 },
    #[serde(rename = "MAX_ASSET")]
    MaxAsset { asset: String, limit: String },
    #[serde(other)]
    Other,
}

/// What can't be read, in words.
type Parsed<T> = Result<T, String>;

/// A number; a bound beyond all numbers is none.
fn number(text: &str) -> Parsed<i128> {
    decimal::parse(text).or_else(|e| match e {
        DecimalError::TooLarge => Ok(0),
        _ => Err(format!("{text:?}: {e}")),
    })
}

fn steps(min: &str, max: &str, step: &str) -> Parsed<Steps> {
    Ok(Steps {
        min: number(min)?,
        max: number(max)?,
        step: number(step)?,
    })
}

fn band(up: &str, down: &str) -> Parsed<Band> {
    Ok(Band {
        up: number(up)?,
        down: number(down)?,
    })
}

fn some(units: i128) -> Option<i128> {
    (units > 0).then_some(units)
}

impl Listing {
    /// The rules; the error says which text is no number. The exchange's own filters come from beside the listing.
    pub(super) fn rules(&self, exchange: &[Filter]) -> Parsed<Rules> {
        let symbol =
            |text: &str| -> Parsed<Symbol> { text.parse().map_err(|e| format!("{text:?}: {e}")) };
        let mut rules = Rules::new(Instrument {
            symbol: symbol(&self.symbol)?,
            currency: symbol(&self.quote_asset)?,
            base: Some(symbol(&self.base_asset)?),
            tick: Price(1),
            lot: Units(1),
            min_qty: None,
            max_qty: None,
            min_price: None,
            max_price: None,
            min_notional: None,
            max_notional: None,
            state: match self.status.as_str() {
                "TRADING" => InstrumentState::Trading,
                "CANCEL_ONLY" => InstrumentState::CancelOnly,
                "HALT" => InstrumentState::Halted,
                _ => InstrumentState::Closed,
            },
        });
        rules.add(exchange.iter().chain(&self.filters))?;
        Ok(rules)
    }
}

impl OwnFilters {
    pub(super) fn all(&self) -> impl Iterator<Item = &Filter> {
        self.exchange.iter().chain(&self.symbol).chain(&self.asset)
    }
}

impl Rules {
    /// Takes filters; a later one of a kind replaces an earlier one.
    pub(super) fn add<'a>(&mut self, filters: impl IntoIterator<Item = &'a Filter>) -> Parsed<()> {
        let symbol = self.instrument.symbol;
        for filter in filters {
            self.take(filter).map_err(|e| format!("{symbol}: {e}"))?;
        }
        let price = |units: i128| i64::try_from(units).ok().filter(|u| *u > 0).map(Price);
        let instrument = &mut self.instrument;
        instrument.tick = price(self.price.step).unwrap_or(Price(1));
        instrument.min_price = price(self.price.min);
        instrument.max_price = price(self.price.max);
        instrument.lot = some(self.lot.step).map_or(Units(1), Units);
        instrument.min_qty = some(self.lot.min).map(Units);
        instrument.max_qty = some(self.lot.max).map(Units);
        Ok(())
    }

    fn take(&mut self, filter: &Filter) -> Parsed<()> {
        match filter {
            Filter::Price {
                min_price,
                max_price,
                tick_size,
            } => self.price = steps(min_price, max_price, tick_size)?,
            Filter::Lot {
                min_qty,
                max_qty,
                step_size,
            } => self.lot = steps(min_qty, max_qty, step_size)?,
            Filter::MarketLot {
                min_qty,
                max_qty,
                step_size,
            } => self.market_lot = steps(min_qty, max_qty, step_size)?,
            Filter::Notional {
                min_notional,
                max_notional,
                apply_min_to_market,
                apply_max_to_market,
                avg_price_mins,
            } => {
                self.instrument.min_notional = some(number(min_notional)?).map(Money);
                self.instrument.max_notional = some(number(max_notional)?).map(Money);
                self.min_for_market = *apply_min_to_market;
                self.max_for_market = *apply_max_to_market;
                self.notional_mins = *avg_price_mins;
            }
            Filter::MinNotional {
                min_notional,
                apply_to_market,
                avg_price_mins,
            } => {
                self.instrument.min_notional = some(number(min_notional)?).map(Money);
                self.min_for_market = *apply_to_market;
                self.notional_mins = *avg_price_mins;
            }
            Filter::Percent {
                multiplier_up,
                multiplier_down,
                avg_price_mins,
            } => {
                self.band = Some([band(multiplier_up, multiplier_down)?; 2]);
                self.band_mins = *avg_price_mins;
            }
            Filter::PercentBySide {
                bid_multiplier_up,
                bid_multiplier_down,
                ask_multiplier_up,
                ask_multiplier_down,
                avg_price_mins,
            } => {
                self.band = Some([
                    band(bid_multiplier_up, bid_multiplier_down)?,
                    band(ask_multiplier_up, ask_multiplier_down)?,
                ]);
                self.band_mins = *avg_price_mins;
            }
            Filter::MaxNumOrders { max_num_orders } => self.max_orders = Some(*max_num_orders),
            Filter::MaxNumAlgoOrders {
                max_num_algo_orders,
            } => self.max_algo_orders = Some(*max_num_algo_orders),
            Filter::MaxPosition { max_position } => {
                self.max_position = some(number(max_position)?).map(Units);
            }
            Filter::ExchangeMaxNumOrders { max_num_orders } => {
                self.max_account_orders = Some(*max_num_orders);
            }
            Filter::ExchangeMaxNumAlgoOrders {
                max_num_algo_orders,
            } => self.max_account_algo_orders = Some(*max_num_algo_orders),
            Filter::MaxAsset { asset, limit } => {
                let limit = some(number(limit)?);
                if self
                    .instrument
                    .base
                    .is_some_and(|base| base.as_str() == asset)
                {
                    self.max_base = limit.map(Units);
                } else if self.instrument.currency.as_str() == asset {
                    self.max_quote = limit.map(Money);
                }
            }
            Filter::Other => {}
        }
        Ok(())
    }
}
