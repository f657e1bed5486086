//! The hot paths allocate nothing once their memory is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

use allocation_counter::measure;
use nanobook::matching::{Config, Engine, Output};
use nanobook::rows::PriceLevel;
use nanobook::{OrderId, OrderRequest, Owner, Price, Qty, Side, TimeInForce};

/// An engine that has been busy, and its buffer.
fn warm(config: Config) -> (Engine, Vec<Output>) {
    let mut engine = Engine::new(config);
    let mut out = Vec::with_capacity(64);
    engine.reserve(100_000);
    for n in 0..20_000_i64 {
        let (side, price) = match n % 2 {
            0 => (Side::Buy, Price(1_000 - n % 50)),
            _ => (Side::Sell, Price(1_001 + n % 50)),
        };
        out.clear();
        let owner = Owner(u32::try_from(n % 3).unwrap());
        let request = OrderRequest::limit(side, price, Qty(10)).with_owner(owner);
        engine.submit(request, &mut out).unwrap();
    }
    for id in (1..=20_000).step_by(2) {
        out.clear();
        engine.cancel(OrderId(id), &mut out).unwrap();
    }
    for n in 0..10_000_i64 {
        out.clear();
        let request = OrderRequest::limit(Side::Buy, Price(1_000 - n % 50), Qty(10));
        engine.submit(request, &mut out).unwrap();
    }
    for side in [Side::Buy, Side::Sell, Side::Buy] {
        out.clear();
        let request = OrderRequest::market(side, Qty(500));
        engine.submit(request, &mut out).unwrap();
    }
    (engine, out)
}

fn allocations(what: impl FnOnce()) -> u64 {
    measure(what).count_total
}

#[test]
fn hot_paths_allocate_nothing() {
    let bounded = Config {
        keep_closed: Some(1_000),
        record: false,
        ..Config::default()
    };
    for config in [Config::default(), bounded] {
        let (mut engine, mut out) = warm(config);
        let mut first = 0;
        let rest = allocations(|| {
            for n in 0..1_000 {
                out.clear();
                let request = OrderRequest::limit(Side::Buy, Price(960 + n % 40), Qty(5));
                first = engine.submit(request, &mut out).unwrap().id.0 - 999;
            }
        });
        assert_eq!(rest, 0, "submit that rests");
        let fill = allocations(|| {
            for _ in 0..1_000 {
                out.clear();
                let request = OrderRequest::limit(Side::Sell, Price(900), Qty(25));
                let ack = engine.submit(request.with_tif(TimeInForce::IOC), &mut out);
                assert!(ack.unwrap().filled > Qty(0));
            }
        });
        assert_eq!(fill, 0, "submit that trades, over several orders");
        let market = allocations(|| {
            out.clear();
            engine
                .submit(OrderRequest::market(Side::Buy, Qty(50)), &mut out)
                .unwrap();
        });
        assert_eq!(market, 0, "market order");
        let mut rested = |n: i64| {
            let request = OrderRequest::limit(Side::Buy, Price(500 + n % 40), Qty(5));
            engine.submit(request, &mut Vec::new()).unwrap().id
        };
        let ids: Vec<_> = (0..900).map(&mut rested).collect();
        let reduce = allocations(|| {
            for id in &ids {
                out.clear();
                engine.reduce(*id, Qty(1), &mut out).unwrap();
            }
        });
        assert_eq!(reduce, 0, "reduce");
        let replace = allocations(|| {
            for id in &ids {
                out.clear();
                engine.replace(*id, Price(520), Qty(9), &mut out).unwrap();
            }
        });
        assert_eq!(replace, 0, "replace");
        let cancel = allocations(|| {
            for id in &ids {
                out.clear();
                engine.cancel(*id, &mut out).unwrap();
            }
        });
        assert_eq!(cancel, 0, "cancel");
        let blank = PriceLevel {
            price: Price(0),
            qty: Qty(0),
            count: 0,
        };
        let mut levels = [blank; 10];
        let resting = engine.market().orders(Side::Buy).last().unwrap().id;
        let mut depth = engine.market().snapshot(10);
        let look = allocations(|| {
            let market = engine.market();
            assert!(market.quote().bid.is_some());
            assert!(market.best_price(Side::Sell).is_some());
            assert_eq!(market.depth(Side::Buy, &mut levels), 10);
            market.snapshot_into(10, &mut depth);
            assert!(market.cost(Side::Buy, Qty(1_000)).vwap().is_some());
            assert!(engine.queue_position(resting).is_some());
        });
        assert_eq!(look, 0, "best prices, depth, cost, place");
        assert!(first > 0);
    }
}
