//! One suite over three brokers: the same scenarios, the same rows.

#![cfg(all(feature = "binance", feature = "ibkr", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

use std::sync::{Arc, Mutex};

use nanobook::portfolio::CostModel;
use nanobook::trading::{DataType, Quote, TimeInForce, Units, decimal};
use nanobook::{Symbol, Timestamp};
use nanobook_broker::binance::{self, BinanceBroker, Endpoint, Signer};
use nanobook_broker::conformance::{Row, Stage, run};
use nanobook_broker::fake::binance::{BinanceServer, Key};
use nanobook_broker::fake::tws::TwsGateway;
use nanobook_broker::ibkr::{self, IbkrBroker};
use nanobook_broker::paper::{self, PaperBroker, QuoteSource};
use nanobook_broker::secret::Secret;

/// Quotes that a test shows.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<Quote>>>);

impl QuoteSource for Screen {
    fn until(&mut self, _: Timestamp, _: &[Symbol]) -> nanobook_broker::Result<Vec<Quote>> {
        Ok(std::mem::take(&mut *self.0.lock().unwrap()))
    }
}

struct Paper {
    folder: tempfile::TempDir,
    screen: Screen,
    broker: Option<PaperBroker>,
}

impl Paper {
    fn open(&mut self) {
        let config = paper::Config {
            cash: decimal::money("100000").unwrap(),
            costs: CostModel {
                commission_min: 1.0,
                ..CostModel::bps(10.0)
            },
            ..paper::Config::default()
        };
        let path = self.folder.path().join("account.json");
        self.broker = None;
        let broker = PaperBroker::open(config, &path)
            .unwrap()
            .with_quotes(self.screen.clone());
        self.broker = Some(broker);
    }
}

impl Stage for Paper {
    type Broker = PaperBroker;

    fn broker(&mut self) -> &mut PaperBroker {
        self.broker.as_mut().unwrap()
    }

    fn symbol(&self) -> Symbol {
        "AAPL".parse().unwrap()
    }

    fn resting(&self) -> TimeInForce {
        TimeInForce::Day
    }

    fn show(&mut self, [bid, ask, qty]: [&str; 3]) {
        let qty: Units = qty.parse().unwrap();
        self.screen.0.lock().unwrap().push(Quote {
            symbol: self.symbol(),
            bid_px: decimal::price(bid).ok(),
            bid_qty: Some(qty),
            ask_px: decimal::price(ask).ok(),
            ask_qty: Some(qty),
            last_px: None,
            data_type: Some(DataType::Live),
            ts_event: Timestamp(0),
        });
    }

    fn restart(&mut self) {
        self.open();
    }
}

struct Binance {
    server: BinanceServer,
    broker: BinanceBroker,
}

fn binance_broker(server: &BinanceServer) -> BinanceBroker {
    let signer = Signer::Hmac(Secret::new("hush".to_owned()));
    let config = binance::Config {
        endpoint: Endpoint::at(&server.url()).unwrap(),
        ..binance::Config::new(Secret::new("key".to_owned()), signer)
    };
    BinanceBroker::new(config).unwrap()
}

impl Stage for Binance {
    type Broker = BinanceBroker;

    fn broker(&mut self) -> &mut BinanceBroker {
        &mut self.broker
    }

    fn symbol(&self) -> Symbol {
        "BTCUSDT".parse().unwrap()
    }

    fn resting(&self) -> TimeInForce {
        TimeInForce::Gtc
    }

    fn show(&mut self, quote: [&str; 3]) {
        self.server.set_quote("BTCUSDT", quote);
    }

    fn restart(&mut self) {
        self.broker = binance_broker(&self.server);
    }
}

struct Ibkr {
    gateway: TwsGateway,
    broker: Option<IbkrBroker>,
}

fn ibkr_broker(gateway: &TwsGateway) -> IbkrBroker {
    let config = ibkr::Config {
        address: gateway.address(),
        ..ibkr::Config::new("DU1234567")
    };
    IbkrBroker::new(config).unwrap()
}

impl Stage for Ibkr {
    type Broker = IbkrBroker;

    fn broker(&mut self) -> &mut IbkrBroker {
        self.broker.as_mut().unwrap()
    }

    fn symbol(&self) -> Symbol {
        "AAPL".parse().unwrap()
    }

    fn resting(&self) -> TimeInForce {
        TimeInForce::Day
    }

    fn show(&mut self, quote: [&str; 3]) {
        self.gateway.set_quote("AAPL", quote);
    }

    fn restart(&mut self) {
        self.broker = None;
        self.gateway.cut();
        self.broker = Some(ibkr_broker(&self.gateway));
    }
}

fn same(name: &str, expected: &[Row], found: &[Row]) {
    for (expected, found) in expected.iter().zip(found) {
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(expected.len(), found.len(), "{name}");
}

#[test]
fn three_brokers_give_the_same_rows() {
    let mut paper = Paper {
        folder: tempfile::tempdir().unwrap(),
        screen: Screen::default(),
        broker: None,
    };
    paper.open();
    let expected = run(&mut paper).unwrap();
    let told = |step: &str| -> Vec<&str> {
        let rows = expected.iter().filter(|row| row.step == step);
        rows.map(|row| row.result.as_str()).collect()
    };
    // What the rows must be, so that three equal mistakes do not pass.
    assert_eq!(told("before connecting"), ["silent: true, refused"]);
    assert_eq!(
        told("buy what is offered"),
        ["confirmed", "filled, 4 of 4 at 101"]
    );
    assert_eq!(
        told("more than is offered"),
        ["confirmed", "partially_filled, 10 of 15 at 101"]
    );
    assert_eq!(
        told("more is offered"),
        ["partially_filled, 13 of 15 at 101"]
    );
    assert_eq!(
        told("cancel the rest"),
        ["confirmed", "ended, 13 of 15 at 101"]
    );
    assert_eq!(told("the market comes"), ["filled, 5 of 5 at 100.5"]);
    assert_eq!(
        told("all or nothing"),
        ["confirmed", "ended, 0 of 15 at none"]
    );
    assert_eq!(
        told("what there is"),
        ["confirmed", "ended, 10 of 15 at 101"]
    );
    assert_eq!(told("more than there is cash for"), ["refused", ""]);
    assert_eq!(told("and again"), ["refused", "filled, 1 of 1 at 101"]);
    assert_eq!(
        told("sent again after a restart"),
        ["refused", "partially_filled, 10 of 12 at 101"]
    );

    let server = BinanceServer::start().unwrap();
    server.allow("key", Key::Hmac("hush".to_owned()));
    let broker = binance_broker(&server);
    let mut binance = Binance { server, broker };
    same("binance", &expected, &run(&mut binance).unwrap());

    let gateway = TwsGateway::start().unwrap();
    let broker = Some(ibkr_broker(&gateway));
    let mut ibkr = Ibkr { gateway, broker };
    same("ibkr", &expected, &run(&mut ibkr).unwrap());
}
