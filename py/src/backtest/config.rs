//! Settings, out of a dictionary that the Python side has filled.

use nanobook::backtest::{Config, FillAt, OnMissing, OnNull, Reentry, Stops, Watch};
use nanobook::metrics::Basis;
use nanobook::portfolio::{BandTo, CostModel, Overdraft, PerSymbol, Rule, Sizing};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Error;

/// A dictionary of settings.
pub(super) struct Settings<'a, 'py>(pub(super) &'a Bound<'py, PyDict>);

impl<'py> Settings<'_, 'py> {
    /// A value; `None` when it is absent or `None`.
    fn get<T>(&self, name: &str) -> PyResult<Option<T>>
    where
        T: for<'a> FromPyObject<'a, 'py>,
    {
        let Some(value) = self.0.get_item(name)?.filter(|value| !value.is_none()) else {
            return Ok(None);
        };
        let wrong = |_| {
            let message =
                format!("{name}={value} can't be: its type is another, or it is out of range");
            PyErr::from(Error::input(message))
        };
        value
            .extract::<T>()
            .map_err(|error| wrong(error.into()))
            .map(Some)
    }

    fn number(&self, name: &str) -> PyResult<f64> {
        Ok(self.get(name)?.unwrap_or(0.0))
    }

    fn choice<T: Copy + Default>(&self, name: &str, choices: &[(&str, T)]) -> PyResult<T> {
        let Some(found) = self.get::<String>(name)? else {
            return Ok(T::default());
        };
        if let Some((_, value)) = choices.iter().find(|(choice, _)| *choice == found) {
            return Ok(*value);
        }
        let known: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        let message = format!("{name}={found:?} is none of {}", known.join(", "));
        Err(Error::input(message).into())
    }

    /// One number for all symbols, or by symbol: those that are not named get zero.
    fn per_symbol(&self, name: &str, symbols: &[String]) -> PyResult<PerSymbol> {
        let Some(value) = self.0.get_item(name)?.filter(|value| !value.is_none()) else {
            return Ok(PerSymbol::default());
        };
        if let Ok(by_name) = value.cast::<PyDict>() {
            let mut values = vec![0.0; symbols.len()];
            for (symbol, value) in by_name {
                let symbol: String = symbol.extract()?;
                let Some(at) = symbols.iter().position(|name| *name == symbol) else {
                    let message = format!("{name} names {symbol}, which has no prices");
                    return Err(Error::input(message).into());
                };
                values[at] = value.extract().map_err(|_| {
                    let message = format!("{name} of {symbol} is {value}; a number is needed");
                    Error::input(message)
                })?;
            }
            return Ok(PerSymbol::Each(values));
        }
        let number = value.extract().map_err(|_| {
            let message = format!("{name} is {value}; a number is needed, or one by symbol");
            Error::input(message)
        })?;
        Ok(PerSymbol::All(number))
    }

    fn costs(&self) -> PyResult<CostModel> {
        Ok(CostModel {
            commission_bps: self.number("commission_bps")?,
            commission_per_share: self.number("commission_per_share")?,
            commission_min: self.number("commission_min")?,
            slippage_bps: self.number("slippage_bps")?,
            half_spread_bps: self.number("half_spread_bps")?,
            impact_bps: self.number("impact_bps")?,
            borrow_bps: self.number("borrow_bps")?,
            cash_bps: self.number("cash_bps")?,
            financing_bps: self.get("financing_bps")?,
        })
    }

    fn rule(&self, symbols: &[String]) -> PyResult<Rule> {
        let overdrafts = [
            ("scale", Overdraft::Scale),
            ("allow", Overdraft::Allow),
            ("reject", Overdraft::Reject),
        ];
        let sizings = [
            ("pre_cost", Sizing::PreCost),
            ("post_cost", Sizing::PostCost),
        ];
        Ok(Rule {
            sizing: self.choice("sizing", &sizings)?,
            overdraft: self.choice("overdraft", &overdrafts)?,
            lot: self.per_symbol("lot", symbols)?,
            no_trade_band: self.number("no_trade_band")?,
            band_to: self.choice(
                "band_to",
                &[("target", BandTo::Target), ("edge", BandTo::Edge)],
            )?,
            min_order_value: self.number("min_order_value")?,
            max_turnover: self.get("max_turnover")?,
            max_participation: self.get("max_participation")?,
        })
    }

    fn stops(&self, symbols: &[String]) -> PyResult<Stops> {
        let reentry = match self.get::<i64>("stop_cooldown")? {
            None => Reentry::NextWeights,
            Some(rows) if rows < 0 => Reentry::Never,
            Some(rows) => Reentry::After(usize::try_from(rows)?),
        };
        Ok(Stops {
            fixed: self.per_symbol("stop_fixed", symbols)?,
            trailing: self.per_symbol("stop_trailing", symbols)?,
            atr: self.per_symbol("stop_atr", symbols)?,
            atr_period: self.get("stop_atr_period")?.unwrap_or(14),
            watch: self.choice(
                "stop_watch",
                &[("close", Watch::Close), ("intrabar", Watch::Intrabar)],
            )?,
            reentry,
        })
    }

    /// All settings but corporate actions.
    pub(super) fn config(&self, symbols: &[String]) -> PyResult<Config> {
        let default = Config::default();
        let fills = [
            ("close", FillAt::Close),
            ("next_open", FillAt::NextOpen),
            ("next_close", FillAt::NextClose),
            ("vwap", FillAt::Vwap),
        ];
        let nulls = [
            ("error", OnNull::Error),
            ("hold", OnNull::Hold),
            ("zero", OnNull::Zero),
        ];
        let missing = [
            ("error", OnMissing::Error),
            ("renormalize", OnMissing::Renormalize),
        ];
        Ok(Config {
            cash: self.get("cash")?.unwrap_or(default.cash),
            fill: self.choice("fill", &fills)?,
            lag: self.get("lag")?.unwrap_or(0),
            rule: self.rule(symbols)?,
            costs: self.costs()?,
            stops: self.stops(symbols)?,
            on_null: self.choice("on_null", &nulls)?,
            on_missing: self.choice("on_missing", &missing)?,
            long_only: self.get("long_only")?.unwrap_or(false),
            gross_limit: self.get("gross_limit")?,
            stale_after: self.get("stale_after")?,
            periods_per_year: self
                .get("periods_per_year")?
                .unwrap_or(default.periods_per_year),
            actions: Vec::new(),
        })
    }

    /// What metrics are counted by.
    pub(super) fn basis(&self) -> PyResult<Basis> {
        Ok(Basis {
            periods_per_year: self.get("periods_per_year")?.unwrap_or(252.0),
            risk_free: self.number("risk_free")?,
        })
    }
}
