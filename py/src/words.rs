//! Words that Python writes for the choices of Rust, and the other way round.

use nanobook::{OrderStatus, Reject, Side, StpPolicy, Symbol, TimeInForce};

use crate::error::{Error, Kind, Place};

/// An error that lists what there is to choose from.
pub(crate) fn choice(what: &str, found: &str, all: &[&str]) -> Error {
    Error::input(format!("{what} {found:?} is none of {}", all.join(", ")))
}

pub(crate) fn side(name: &str) -> Result<Side, Error> {
    match name.to_ascii_lowercase().as_str() {
        "buy" | "b" => Ok(Side::Buy),
        "sell" | "s" => Ok(Side::Sell),
        _ => Err(choice("side", name, &["buy", "sell"])),
    }
}

pub(crate) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(crate) fn tif(name: &str) -> Result<TimeInForce, Error> {
    match name.to_ascii_lowercase().as_str() {
        "gtc" => Ok(TimeInForce::GTC),
        "ioc" => Ok(TimeInForce::IOC),
        "fok" => Ok(TimeInForce::FOK),
        _ => Err(choice("time in force", name, &["gtc", "ioc", "fok"])),
    }
}

pub(crate) const fn tif_name(tif: TimeInForce) -> &'static str {
    match tif {
        TimeInForce::GTC => "gtc",
        TimeInForce::IOC => "ioc",
        TimeInForce::FOK => "fok",
    }
}

const POLICIES: [(&str, StpPolicy); 5] = [
    ("off", StpPolicy::Off),
    ("cancel_newest", StpPolicy::CancelNewest),
    ("cancel_oldest", StpPolicy::CancelOldest),
    ("cancel_both", StpPolicy::CancelBoth),
    ("decrement", StpPolicy::Decrement),
];

pub(crate) fn stp(name: &str) -> Result<StpPolicy, Error> {
    let found = POLICIES.iter().find(|(policy, _)| *policy == name);
    let names = POLICIES.map(|(policy, _)| policy);
    found
        .map(|(_, policy)| *policy)
        .ok_or_else(|| choice("self-trade policy", name, &names))
}

pub(crate) fn stp_name(policy: StpPolicy) -> &'static str {
    let found = POLICIES.iter().find(|(_, other)| *other == policy);
    found.map_or("off", |(name, _)| name)
}

pub(crate) const fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "pending",
        OrderStatus::New => "new",
        OrderStatus::PartiallyFilled => "partially_filled",
        OrderStatus::Filled => "filled",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::Triggered => "triggered",
        OrderStatus::Rejected => "rejected",
    }
}

/// A symbol, with an error that carries the text.
pub(crate) fn symbol(name: &str) -> Result<Symbol, Error> {
    name.parse()
        .map_err(|error: nanobook::SymbolError| Error::At {
            kind: Kind::Input,
            message: format!("symbol {name:?}: {error}"),
            place: Place {
                symbol: Some(name.to_owned()),
                ..Place::default()
            },
        })
}

/// The error of a command that was refused.
pub(crate) fn rejected(reject: Reject) -> Error {
    let kind = match reject {
        Reject::UnknownOrder | Reject::UnknownSymbol => Kind::Missing,
        _ => Kind::Input,
    };
    Error::new(kind, reject.to_string())
}
