//! Seeded synthetic trading days.
