//! What a book needs of a message, in 32 bytes: half a cache line, sorted by instrument instead of the bytes.

use nanobook::{BookDelta, OrderId, Price, Qty, Resting};

use super::translate::side;
use crate::OrderMessage;

/// Where fields lie, by message type. A field that a type lacks is read at the order reference and not looked at.
#[derive(Clone, Copy)]
struct Places {
    new_id: u8,
    qty: u8,
    price: u8,
    flag: u8,
}

const ID: usize = 11;

const PLACES: [Places; 256] = {
    const NONE: Places = Places {
        new_id: 11,
        qty: 11,
        price: 11,
        flag: 11,
    };
    let mut places = [NONE; 256];
    places[b'A' as usize] = Places {
        qty: 20,
        price: 32,
        flag: 19,
        ..NONE
    };
    places[b'F' as usize] = places[b'A' as usize];
    places[b'E' as usize] = Places { qty: 19, ..NONE };
    places[b'C' as usize] = Places {
        qty: 19,
        price: 32,
        flag: 31,
        ..NONE
    };
    places[b'X' as usize] = Places { qty: 19, ..NONE };
    places[b'U' as usize] = Places {
        new_id: 19,
        qty: 27,
        price: 31,
        ..NONE
    };
    places[b'P' as usize] = Places {
        qty: 20,
        price: 32,
        ..NONE
    };
    places[b'Q' as usize] = Places { price: 27, ..NONE };
    places
};

/// The fields of a book message or print, whatever its type.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct Op {
    /// The order; of a cross, its shares.
    id: u64,
    new_id: u64,
    price: u32,
    qty: u32,
    /// Place of the message in its block.
    pub(super) ordinal: u32,
    /// The instrument.
    pub(super) handle: u16,
    pub(super) tag: u8,
    /// Side of an add, printable flag of an execution.
    flag: u8,
}

const _: () = assert!(size_of::<Op>() == 32);

impl Op {
    /// From a whole message of a type that a book takes, at least 19 bytes long.
    #[inline]
    pub(super) fn read(message: &[u8], ordinal: u32, handle: u16) -> Self {
        let tag = message[0];
        let places = PLACES[usize::from(tag)];
        let int8 = |at: usize| message[at..][..8].try_into().map_or(0, u64::from_be_bytes);
        let int4 = |at: u8| {
            message[usize::from(at)..][..4]
                .try_into()
                .map_or(0, u32::from_be_bytes)
        };
        Self {
            id: int8(ID),
            new_id: int8(usize::from(places.new_id)),
            price: int4(places.price),
            qty: int4(places.qty),
            ordinal,
            handle,
            tag,
            flag: message[usize::from(places.flag)],
        }
    }

    /// The same of an order message.
    #[inline]
    pub(super) fn of(message: &OrderMessage<'_>, ordinal: u32, handle: u16) -> Self {
        Self {
            id: message.order_reference_number,
            new_id: message.new_order_reference_number,
            price: message.price.raw(),
            qty: message.shares,
            ordinal,
            handle,
            tag: message.message_type,
            flag: message.buy_sell_indicator | message.printable(),
        }
    }

    /// What it says to the book; `None` for a print and for an add without a side.
    #[inline]
    pub(super) fn delta(&self) -> Option<BookDelta> {
        let (id, qty) = (OrderId(self.id), self.qty());
        Some(match self.tag {
            b'A' | b'F' => BookDelta::Add {
                id,
                side: side(self.flag)?,
                price: self.price(),
                qty,
            },
            b'E' | b'C' => BookDelta::Execute { id, qty },
            b'X' => BookDelta::Reduce { id, qty },
            b'D' => BookDelta::Delete { id },
            b'U' => BookDelta::Replace {
                old_id: id,
                id: OrderId(self.new_id),
                price: self.price(),
                qty,
            },
            _ => return None,
        })
    }

    /// Price and quantity of an execution that counts in volume; `None` when it does not, its price is unknown or its
    /// quantity zero.
    #[inline]
    pub(super) fn execution(&self, resting: Option<Resting>) -> Option<(Price, Qty)> {
        match self.tag {
            b'E' => resting
                .map(|resting| (resting.price, self.qty()))
                .filter(|_| self.qty != 0),
            b'C' if self.flag == b'Y' => self.priced(self.qty()),
            _ => None,
        }
    }

    /// Price and quantity of a print away from the displayed book; `None` when one of them is zero.
    pub(super) fn print(&self) -> Option<(Price, Qty)> {
        match self.tag {
            b'P' => self.priced(self.qty()),
            b'Q' => self.priced(Qty(self.id)),
            _ => None,
        }
    }

    /// With the wire's price, unless one of the two is zero.
    fn priced(&self, qty: Qty) -> Option<(Price, Qty)> {
        (self.price != 0 && !qty.is_zero()).then(|| (self.price(), qty))
    }

    #[inline]
    fn price(&self) -> Price {
        Price::from_ten_thousandths(self.price)
    }

    #[inline]
    fn qty(&self) -> Qty {
        Qty(self.qty.into())
    }
}
