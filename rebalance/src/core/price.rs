//! At what price an order is sent, and how much cash it needs.

use nanobook::trading::{DataType, Instrument, Quote, Units};
use nanobook::{Money, Price, Side, Timestamp};

use super::plan::Leg;
use super::settings::Settings;

/// Basis points in one.
const BPS: i128 = 10_000;

/// Units of 1e-18, in which a notional is exact, in one of 1e-9.
const NANO: i128 = 1_000_000_000;

/// Whether a quote prices an order: two sides above zero, not crossed, live, and of now.
pub(super) fn is_usable(quote: &Quote, now: Timestamp, settings: &Settings) -> bool {
    let (Some(bid), Some(ask)) = (quote.bid_px, quote.ask_px) else {
        return false;
    };
    let age = now.0.saturating_sub(quote.ts_event.0);
    bid.0 > 0
        && bid <= ask
        && age.saturating_abs() <= settings.quote_age_ns
        && !matches!(quote.data_type, Some(DataType::Delayed | DataType::Frozen))
}

/// The limit of an order: the quote's other side, farther by the offset, within the collar, on a tick.
pub(super) fn limit(leg: &Leg, quote: &Quote, chases: u32, settings: &Settings) -> Option<Price> {
    let bps = i128::from(settings.offset_bps)
        + i128::from(settings.chase_bps) * i128::from(chases.min(settings.chases));
    let tick = i128::from(leg.instrument.tick.0);
    let worst = i128::from(leg.worst_px.0);
    let price = match leg.side {
        Side::Buy => {
            let ask = i128::from(quote.ask_px?.0);
            // Down to a tick, and not below the ask, which is on one.
            let price = ask + ask * bps / BPS;
            (price - price.rem_euclid(tick)).min(worst)
        }
        Side::Sell => {
            let bid = i128::from(quote.bid_px?.0);
            let price = bid - bid * bps / BPS;
            (price + (tick - price.rem_euclid(tick)) % tick).max(worst)
        }
    };
    i64::try_from(price)
        .ok()
        .filter(|price| *price > 0)
        .map(Price)
}

/// What a buy costs at its limit, with its fee, rounded up; `None` on overflow.
pub(super) fn cost(qty: Units, price: Price, settings: &Settings) -> Option<Money> {
    let exact = qty.exact_notional(price)?;
    let value = exact / NANO + i128::from(exact % NANO > 0);
    let fee = value.checked_mul(i128::from(settings.fee_bps))? / BPS + 1;
    Some(Money(value.checked_add(fee.max(settings.min_fee.0))?))
}

/// How much of `qty` cash is enough for, in whole lots.
pub(super) fn affordable(
    qty: Units,
    price: Price,
    rules: &Instrument,
    cash: Money,
    settings: &Settings,
) -> Units {
    let fits = |qty: Units| cost(qty, price, settings).is_some_and(|cost| cost <= cash);
    if fits(qty) {
        return qty;
    }
    // By halves: cost grows with the quantity.
    let (mut low, mut high) = (0, qty.0 / rules.lot.0);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(Units(middle * rules.lot.0)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Units(low * rules.lot.0)
}

#[cfg(test)]
mod tests {
    use nanobook::trading::InstrumentState;
    use proptest::prelude::*;

    use super::*;

    fn leg(side: Side, worst: i64) -> Leg {
        Leg {
            instrument: Instrument {
                symbol: "A".parse().unwrap(),
                currency: "USD".parse().unwrap(),
                base: None,
                tick: Price(10_000_000),
                lot: Units::whole(1),
                min_qty: None,
                max_qty: None,
                min_price: None,
                max_price: None,
                min_notional: None,
                max_notional: None,
                state: InstrumentState::Trading,
            },
            side,
            qty: Units::whole(10),
            start: Units::ZERO,
            ref_px: Price(100_000_000_000),
            worst_px: Price(worst),
            slices: 1,
        }
    }

    fn quote(bid: Option<i64>, ask: Option<i64>) -> Quote {
        Quote {
            symbol: "A".parse().unwrap(),
            bid_px: bid.map(Price),
            bid_qty: None,
            ask_px: ask.map(Price),
            ask_qty: None,
            last_px: None,
            data_type: None,
            ts_event: Timestamp(0),
        }
    }

    #[test]
    fn quotes_that_price_nothing() {
        let settings = Settings::default();
        let usable = |quote: &Quote, now| is_usable(quote, Timestamp(now), &settings);
        assert!(usable(&quote(Some(9), Some(9)), 0));
        assert!(!usable(&quote(Some(9), None), 0));
        assert!(!usable(&quote(None, Some(9)), 0));
        assert!(!usable(&quote(Some(0), Some(9)), 0));
        assert!(!usable(&quote(Some(10), Some(9)), 0));
        assert!(!usable(&quote(Some(9), Some(9)), settings.quote_age_ns + 1));
        assert!(!usable(
            &quote(Some(9), Some(9)),
            -settings.quote_age_ns - 1
        ));
        let delayed = Quote {
            data_type: Some(DataType::Delayed),
            ..quote(Some(9), Some(9))
        };
        assert!(!usable(&delayed, 0));
    }

    proptest! {
        #[test]
        fn limits_take_the_other_side_within_the_collar(
            bid in 1..20_000_i64, spread in 0..100_i64, worst in 1..20_000_i64, chases in 0..9_u32,
        ) {
            let cent = 10_000_000;
            let quote = quote(Some(bid * cent), Some((bid + spread) * cent));
            let settings = Settings::default();
            let buy = limit(&leg(Side::Buy, worst * cent), &quote, chases, &settings).unwrap();
            prop_assert!(buy.0 % cent == 0 && buy.0 <= worst * cent);
            prop_assert!(buy.0 >= (bid + spread).min(worst) * cent);
            let sell = limit(&leg(Side::Sell, worst * cent), &quote, chases, &settings).unwrap();
            prop_assert!(sell.0 % cent == 0 && sell.0 >= worst * cent);
            prop_assert!(sell.0 <= bid.max(worst) * cent);
        }

        #[test]
        fn what_is_affordable_is_the_most_that_is(qty in 1..5_000_i64, cents in 1..50_000_i64, cash in 0..1_000_000_i64) {
            let settings = Settings::default();
            let leg = leg(Side::Buy, 1);
            let (price, cash) = (Price(cents * 10_000_000), Money(i128::from(cash) * NANO));
            let got = affordable(Units::whole(qty), price, &leg.instrument, cash, &settings);
            prop_assert!(got.is_zero() || cost(got, price, &settings).unwrap() <= cash);
            let more = Units(got.0 + leg.instrument.lot.0);
            prop_assert!(got == Units::whole(qty) || cost(more, price, &settings).unwrap() > cash);
        }
    }
}
