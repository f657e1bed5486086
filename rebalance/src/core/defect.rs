//! Planted defects, which the simulation must catch: a test that no defect fails proves nothing.

/// A way to do it wrong. Compiled with the feature `simulation` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Defect {
    /// A second process may write the journal.
    LockIgnored,
}
