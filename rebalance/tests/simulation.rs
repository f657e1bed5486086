//! The fault simulation.

use nanobook_rebalance::core::Ending;
use nanobook_rebalance::sim::{Config, Fault, Model, run};

#[test]
fn smoke() {
    for model in [Model::Ibkr, Model::Binance] {
        let mut endings = std::collections::BTreeMap::new();
        for seed in 0..200 {
            let report = run(&Config::new(model, &[], seed));
            assert_eq!(report.violation, None, "{model:?} {seed}");
            *endings.entry(format!("{:?}", report.ending)).or_insert(0) += 1;
        }
        println!("{model:?} {endings:?}");
    }
    let _ = (Ending::Done, Fault::ALL);
}
