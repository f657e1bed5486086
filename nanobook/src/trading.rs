//! Trading vocabulary: what a broker knows and what a risk check looks at.
//!
//! One type for each trading table, the same for a paper account, Interactive Brokers and Binance. Quantities here are
//! [`Units`], which hold fractions of a share and of a coin exactly; the book and the matching engine count in lots.
//! What a venue does not say is `None`, and never zero.

pub mod decimal;
mod id;
mod order;
mod risk;
mod rows;
mod units;

pub use decimal::DecimalError;
pub use id::{ClientOrderId, IdError, MAX_CLIENT_ORDER_ID_LEN};
pub use order::{NewOrder, Order, OrderState, TimeInForce};
pub use risk::RiskCheckRow;
pub use rows::{Account, DataType, Fill, Instrument, InstrumentState, Liquidity, Position, Quote};
pub use units::Units;
