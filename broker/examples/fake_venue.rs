//! A venue on loopback for clients in other processes: `fake_venue binance` or `fake_venue ibkr`.
//!
//! Prints its address, takes commands from standard input, and ends when that does. Commands of the gateway are
//! `fill REFERENCE QTY PRICE`, `quote SYMBOL BID ASK QTY`, `hours SYMBOL ZONE ALL REGULAR`, `ticks SYMBOL EDGE TICK …`,
//! `correct PRICE`, `repeat`, `roll-back`, `busy`, `half` (the next order fills by half, then
//! the connection is cut) and `notify CODE`.

#![expect(clippy::print_stdout, reason = "it tells where it is")]

use std::io::BufRead;

use nanobook_broker::fake::binance::{BinanceServer, Key};
use nanobook_broker::fake::tws::{Fault, TwsGateway};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let venue = std::env::args().nth(1);
    match venue.as_deref() {
        Some("binance") => {
            let server = BinanceServer::start()?;
            server.allow("test-key", Key::Hmac("test-secret".to_owned()));
            println!("{}", server.url());
            for line in std::io::stdin().lock().lines() {
                line?;
            }
        }
        Some("ibkr") => {
            let gateway = TwsGateway::start()?;
            println!("{}", gateway.address());
            for line in std::io::stdin().lock().lines() {
                command(&gateway, &line?);
                println!("done");
            }
        }
        _ => return Err("usage: fake_venue binance|ibkr".into()),
    }
    Ok(())
}

fn command(gateway: &TwsGateway, line: &str) {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["fill", reference, qty, price] => gateway.fill(reference, [qty, price]),
        ["correct", price] => gateway.correct(price),
        ["hours", symbol, zone, all, regular] => gateway.set_hours(symbol, [zone, all, regular]),
        ["ticks", symbol, bands @ ..] => {
            let bands: Vec<[&str; 2]> = bands.as_chunks().0.to_vec();
            gateway.set_ticks(symbol, &bands);
        }
        ["quote", symbol, bid, ask, qty] => gateway.set_quote(symbol, [bid, ask, qty]),
        ["repeat"] => gateway.fail(Fault::RepeatStatus),
        ["roll-back"] => gateway.fail(Fault::RollBack),
        ["busy"] => gateway.fail(Fault::ClientIdBusy { times: 1 }),
        ["half"] => gateway.fail(Fault::DropInMidFill),
        ["notify", code] => gateway.notify(code.parse().unwrap_or(1_100)),
        _ => {}
    }
}
