//! Venues, network, disk and faults by a seed.
