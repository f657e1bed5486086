//! A venue on loopback for clients in other processes: `fake_venue binance`.
//!
//! Prints its address, and ends when its standard input does.

#![expect(clippy::print_stdout, reason = "it tells where it is")]

use std::io::Read;

use nanobook_broker::fake::binance::{BinanceServer, Key};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let venue = std::env::args().nth(1);
    match venue.as_deref() {
        Some("binance") => {
            let server = BinanceServer::start()?;
            server.allow("test-key", Key::Hmac("test-secret".to_owned()));
            println!("{}", server.url());
            wait()?;
        }
        _ => return Err("usage: fake_venue binance".into()),
    }
    Ok(())
}

fn wait() -> std::io::Result<()> {
    std::io::stdin().read_to_end(&mut Vec::new()).map(|_| ())
}
