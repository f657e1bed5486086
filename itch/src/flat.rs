//! Order messages in one shape, decoded without a branch on their type.
//!
//! Which of the seven order messages comes next cannot be predicted, so a `match` on it costs a
//! processor some fifteen cycles for every third message: more than the decoding itself. Here the
//! type selects a row of a small table that says where its fields lie, and the same few loads serve
//! every type. Everything else in a feed (two messages in a hundred) is handed out as it is.

use crate::{Alpha4, Frames, Framing, LENGTH, Price4, Stock8, Time48};

/// Any of the seven order messages (`A F E C X D U`).
///
/// A field that the type does not have is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderMessage<'a> {
    /// The whole message.
    pub bytes: &'a [u8],
    /// `A`, `F`, `E`, `C`, `X`, `D` or `U`.
    pub message_type: u8,
    /// Number of the stock for this day.
    pub stock_locate: u16,
    /// NASDAQ's internal tracking number.
    pub tracking_number: u16,
    /// Time of day in ns.
    pub ns: u64,
    /// The order; of `U` the original one.
    pub order_reference_number: u64,
    /// Of `U` the new order.
    pub new_order_reference_number: u64,
    /// Of `E` and `C` the match.
    pub match_number: u64,
    /// Displayed shares of `A`, `F` and `U`, executed ones of `E` and `C`, cancelled ones of `X`.
    pub shares: u32,
    /// Displayed price of `A`, `F` and `U`, execution price of `C`.
    pub price: Price4,
    /// `B` or `S` of `A` and `F`.
    pub buy_sell_indicator: u8,
    /// The symbol of `A` and `F`.
    pub stock: Stock8,
}

impl OrderMessage<'_> {
    /// The market participant of `F`; blank otherwise.
    #[inline]
    pub fn attribution(&self) -> Alpha4 {
        match (self.message_type, self.bytes.last_chunk()) {
            (b'F', Some(&mpid)) => Alpha4::from_bytes(mpid),
            _ => Alpha4::BLANK,
        }
    }

    /// `Y` or `N` of `C`; 0 otherwise.
    #[inline]
    pub fn printable(&self) -> u8 {
        match (self.message_type, self.bytes.get(31)) {
            (b'C', Some(&printable)) => printable,
            _ => 0,
        }
    }
}

impl<'a> Frames<'a> {
    /// The next message and its offset, if it is one of the seven and not too near to the end of the slice.
    #[inline]
    pub(crate) fn next_order(&mut self) -> Option<(usize, OrderMessage<'a>)> {
        let message = order_in(self.framing(), self.rest().first_chunk()?)?;
        let prefix = self.framing().prefix_len();
        let offset = self.offset() + prefix;
        self.advance(prefix + message.bytes.len());
        Some((offset, message))
    }

    /// Hands every message to one of two functions: order messages in one shape to `order`, the
    /// bytes of all others to `other`, in file order and with their offsets in the slice.
    ///
    /// Both functions get the same `state`. Frames of an unknown type or a wrong length are among
    /// the others. Returns the frames where they stop, for [`Frames::finish`].
    ///
    /// This is the fastest way through a feed: there is no branch on the type of an order message,
    /// and the functions are compiled into the loop.
    ///
    /// # Examples
    /// ```
    /// use nanobook_itch::{Frames, Framing, OrderCancel, SystemEvent};
    ///
    /// let mut bytes = Vec::new();
    /// Framing::Length.encode(&SystemEvent::default(), &mut bytes);
    /// let cancel = OrderCancel { cancelled_shares: 30.into(), ..Default::default() };
    /// Framing::Length.encode(&cancel, &mut bytes);
    ///
    /// let (mut cancelled, mut others) = (0, 0);
    /// Frames::new(&bytes, Framing::Length)
    ///     .visit(
    ///         &mut (&mut cancelled, &mut others),
    ///         |(cancelled, _), _offset, order| {
    ///             if order.message_type == b'X' {
    ///                 **cancelled += order.shares;
    ///             }
    ///         },
    ///         |(_, others), _offset, _bytes| **others += 1,
    ///     )
    ///     .finish()?;
    /// assert_eq!((cancelled, others), (30, 1));
    /// # Ok::<(), nanobook_itch::Error>(())
    /// ```
    #[inline]
    #[must_use = "`finish` tells whether all of the slice was visited"]
    pub fn visit<S>(
        mut self,
        state: &mut S,
        mut order: impl FnMut(&mut S, usize, OrderMessage<'a>),
        mut other: impl FnMut(&mut S, usize, &'a [u8]),
    ) -> Self {
        let framing = self.framing();
        let prefix = framing.prefix_len();
        loop {
            let rest = self.rest();
            let mut at = 0;
            while let Some(message) = rest
                .get(at..)
                .and_then(<[u8]>::first_chunk)
                .and_then(|head| order_in(framing, head))
            {
                let length = message.bytes.len();
                order(state, self.offset() + at + prefix, message);
                at += prefix + length;
            }
            self.advance(at);
            // Another type, a wrong length, or too near to the end for a window.
            let Some((offset, bytes)) = self.next() else {
                return self;
            };
            let mut window = [0; WINDOW];
            for (to, from) in window.iter_mut().zip(bytes) {
                *to = *from;
            }
            let shape = &SHAPES[usize::from(window[0])];
            if shape.length != 0 && usize::from(shape.length) == bytes.len() {
                order(state, offset, shape.read(&window, bytes));
            } else {
                other(state, offset, bytes);
            }
        }
    }
}

/// The order message at the start of some bytes; `None` when its type or length is another.
#[inline]
fn order_in(framing: Framing, head: &[u8; 2 + WINDOW]) -> Option<OrderMessage<'_>> {
    let (stated, window) = split(framing, head);
    let shape = &SHAPES[usize::from(window[0])];
    let stated = stated.unwrap_or(usize::from(shape.length));
    let types = TYPES_OF_LENGTH.get(stated)?;
    (types & shape.of_type != 0).then(|| shape.read(window, &window[..stated]))
}

/// The length that stands in front of a message (`None` if none does, 0 if something else does),
/// and the bytes from the message on.
#[inline]
fn split(framing: Framing, head: &[u8; 2 + WINDOW]) -> (Option<usize>, &[u8; WINDOW]) {
    let behind = head.last_chunk().expect("the head is longer than a window");
    match framing {
        Framing::Length => {
            let length = u16::from_be_bytes([head[0], head[1]]);
            (Some(usize::from(length)), behind)
        }
        Framing::Zero if head[..2] == [0, 0] => (None, behind),
        Framing::Zero => (Some(0), behind),
        Framing::None => {
            let whole = head
                .first_chunk()
                .expect("the head is longer than a window");
            (None, whole)
        }
    }
}

/// Bytes that may be looked at from the start of a message on: 8 from any offset below 64.
const WINDOW: usize = 72;

/// Where a type has its fields, and which it has: a mask is all ones or all zeros.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Shape {
    /// 0 for what is no order message.
    length: u8,
    /// A bit of its own for each type.
    of_type: u8,
    shares_at: u8,
    price_at: u8,
    /// Of the second number: a new reference or a match.
    number_at: u8,
    side: u8,
    shares: u32,
    price: u32,
    stock: u64,
    new_reference: u64,
    match_number: u64,
}

static SHAPES: [Shape; 256] = {
    const NONE: Shape = Shape {
        length: 0,
        of_type: 0,
        shares_at: 0,
        price_at: 0,
        number_at: 0,
        side: 0,
        shares: 0,
        price: 0,
        stock: 0,
        new_reference: 0,
        match_number: 0,
    };
    const YES: u32 = u32::MAX;
    const YES_WIDE: u64 = u64::MAX;
    let mut shapes = [NONE; 256];
    let add = Shape {
        shares_at: 20,
        price_at: 32,
        side: u8::MAX,
        shares: YES,
        price: YES,
        stock: YES_WIDE,
        ..NONE
    };
    shapes[b'A' as usize] = add;
    shapes[b'F' as usize] = add;
    shapes[b'X' as usize] = Shape {
        shares_at: 19,
        shares: YES,
        ..NONE
    };
    shapes[b'E' as usize] = Shape {
        number_at: 23,
        match_number: YES_WIDE,
        ..shapes[b'X' as usize]
    };
    shapes[b'C' as usize] = Shape {
        price_at: 32,
        price: YES,
        ..shapes[b'E' as usize]
    };
    shapes[b'U' as usize] = Shape {
        number_at: 19,
        new_reference: YES_WIDE,
        shares_at: 27,
        shares: YES,
        price_at: 31,
        price: YES,
        ..NONE
    };
    let mut i = 0;
    while i < ORDERS.len() {
        let tag = ORDERS[i] as usize;
        shapes[tag].length = LENGTH[tag];
        shapes[tag].of_type = 1 << i;
        i += 1;
    }
    shapes
};

/// The types of order messages.
const ORDERS: [u8; 7] = *b"AFECXDU";

/// Which types have a length, as bits. It says the same as the lengths in [`SHAPES`], but from it
/// the compiler cannot learn that the length in front of a message and the one in the table are
/// equal; if it does, it waits for the table before it looks for the next message.
static TYPES_OF_LENGTH: [u8; 64] = {
    let mut types = [0; 64];
    let mut i = 0;
    while i < ORDERS.len() {
        types[LENGTH[ORDERS[i] as usize] as usize] |= 1 << i;
        i += 1;
    }
    types
};

impl Shape {
    #[inline]
    fn read<'a>(&self, window: &[u8; WINDOW], bytes: &'a [u8]) -> OrderMessage<'a> {
        let number = eight(window, self.number_at);
        let stock = eight(window, 24) & self.stock;
        OrderMessage {
            bytes,
            message_type: window[0],
            stock_locate: u16::from_be_bytes([window[1], window[2]]),
            tracking_number: u16::from_be_bytes([window[3], window[4]]),
            // The eight bytes that end with the time begin with the tracking number.
            ns: eight(window, 3) & Time48::MAX_NS,
            order_reference_number: eight(window, 11),
            new_order_reference_number: number & self.new_reference,
            match_number: number & self.match_number,
            shares: four(window, self.shares_at) & self.shares,
            price: Price4::new(four(window, self.price_at) & self.price),
            buy_sell_indicator: window[19] & self.side,
            stock: Stock8::from_bytes(stock.to_be_bytes()),
        }
    }
}

/// Eight bytes as an integer. The mask changes no offset of the table; it tells the compiler that
/// the bytes are there.
#[inline]
fn eight(window: &[u8; WINDOW], at: u8) -> u64 {
    let at = usize::from(at & 63);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&window[at..at + 8]);
    u64::from_be_bytes(bytes)
}

/// Four bytes as an integer.
#[inline]
fn four(window: &[u8; WINDOW], at: u8) -> u32 {
    let at = usize::from(at & 63);
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&window[at..at + 4]);
    u32::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AddOrder, AddOrderAttributed, Message, OrderCancel, OrderDelete, OrderExecuted,
        OrderExecutedWithPrice, OrderReplace, Reason, SystemEvent,
    };

    /// The same record by way of the typed messages.
    fn by_type(bytes: &[u8]) -> Option<OrderMessage<'_>> {
        let message = Message::parse(bytes).ok()?;
        let header = message.header();
        let none = OrderMessage {
            bytes,
            message_type: message.tag(),
            stock_locate: header.stock_locate.get(),
            tracking_number: header.tracking_number.get(),
            ns: header.timestamp.ns(),
            order_reference_number: 0,
            new_order_reference_number: 0,
            match_number: 0,
            shares: 0,
            price: Price4::new(0),
            buy_sell_indicator: 0,
            stock: Stock8::from_bytes([0; 8]),
        };
        Some(match message {
            Message::AddOrder(m) => OrderMessage {
                order_reference_number: m.order_reference_number.get(),
                shares: m.shares.get(),
                price: m.price,
                buy_sell_indicator: m.buy_sell_indicator,
                stock: m.stock,
                ..none
            },
            Message::AddOrderAttributed(m) => OrderMessage {
                order_reference_number: m.order_reference_number.get(),
                shares: m.shares.get(),
                price: m.price,
                buy_sell_indicator: m.buy_sell_indicator,
                stock: m.stock,
                ..none
            },
            Message::OrderExecuted(m) => OrderMessage {
                order_reference_number: m.order_reference_number.get(),
                match_number: m.match_number.get(),
                shares: m.executed_shares.get(),
                ..none
            },
            Message::OrderExecutedWithPrice(m) => OrderMessage {
                order_reference_number: m.order_reference_number.get(),
                match_number: m.match_number.get(),
                shares: m.executed_shares.get(),
                price: m.execution_price,
                ..none
            },
            Message::OrderCancel(m) => OrderMessage {
                order_reference_number: m.order_reference_number.get(),
                shares: m.cancelled_shares.get(),
                ..none
            },
            Message::OrderDelete(m) => OrderMessage {
                order_reference_number: m.order_reference_number.get(),
                ..none
            },
            Message::OrderReplace(m) => OrderMessage {
                order_reference_number: m.original_order_reference_number.get(),
                new_order_reference_number: m.new_order_reference_number.get(),
                shares: m.shares.get(),
                price: m.price,
                ..none
            },
            _ => return None,
        })
    }

    /// Every type in turn, with no two bytes of a message alike, and frames that are no message.
    fn feed(framing: Framing) -> Vec<u8> {
        let mut out = Vec::new();
        for (round, tag) in crate::TAGS.into_iter().cycle().take(60).enumerate() {
            let mut message: Vec<u8> = (0..LENGTH[usize::from(tag)])
                .map(|i| i.wrapping_mul(3).wrapping_add(u8::try_from(round).unwrap()))
                .collect();
            message[0] = tag;
            framing.encode_bytes(&message, &mut out);
            if framing == Framing::Length && round % 5 == 0 {
                framing.encode_bytes(b"?what is this", &mut out);
                framing.encode_bytes(&message[..message.len() - 1], &mut out);
            }
        }
        out
    }

    #[test]
    fn agrees_with_the_typed_messages_wherever_a_slice_ends() {
        for framing in [Framing::Length, Framing::Zero, Framing::None] {
            let bytes = feed(framing);
            for end in (0..=bytes.len()).rev().take(400).chain([0, 1, 2, 3]) {
                let bytes = &bytes[..end];
                let mut expected = Frames::new(bytes, framing);
                let end = Frames::new(bytes, framing).visit(
                    &mut expected,
                    |expected, offset, order| {
                        let (at, bytes) = expected.next().unwrap();
                        assert_eq!((offset, Some(order)), (at, by_type(bytes)));
                    },
                    |expected, offset, other| {
                        assert_eq!(expected.next(), Some((offset, other)));
                        assert_eq!(by_type(other), None);
                    },
                );
                assert_eq!(expected.next(), None);
                assert_eq!(end.offset(), expected.offset());
                let (ours, theirs) = (end.finish(), expected.finish());
                assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
            }
        }
    }

    #[test]
    fn rare_fields_are_there_when_asked_for() {
        let mut bytes = Vec::new();
        let framing = Framing::Length;
        let attribution = Alpha4::new("NSDQ").unwrap();
        let add = AddOrderAttributed {
            attribution,
            ..Default::default()
        };
        framing.encode(&add, &mut bytes);
        let executed = OrderExecutedWithPrice {
            printable: b'N',
            ..Default::default()
        };
        framing.encode(&executed, &mut bytes);
        framing.encode(&AddOrder::default(), &mut bytes);
        let mut seen = Vec::new();
        let end = Frames::new(&bytes, framing).visit(
            &mut seen,
            |seen, _, order| seen.push((order.attribution(), order.printable())),
            |_, _, other| panic!("{other:?}"),
        );
        assert!(end.finish().is_ok());
        let blank = Alpha4::BLANK;
        assert_eq!(seen, [(attribution, 0), (blank, b'N'), (blank, 0)]);
    }

    #[test]
    fn every_order_message_has_a_shape_and_no_other() {
        for tag in 0..=u8::MAX {
            let length = SHAPES[usize::from(tag)].length;
            let expected = if ORDERS.contains(&tag) {
                LENGTH[usize::from(tag)]
            } else {
                0
            };
            assert_eq!(length, expected);
        }
        assert_eq!(size_of::<Shape>(), 64);
        let sizes = [
            size_of::<OrderCancel>(),
            size_of::<OrderDelete>(),
            size_of::<OrderExecuted>(),
            size_of::<OrderReplace>(),
        ];
        assert!(sizes.iter().all(|&size| size <= WINDOW));
    }

    #[test]
    fn others_are_left_to_the_caller() {
        let mut bytes = Vec::new();
        Framing::Length.encode(&SystemEvent::default(), &mut bytes);
        Framing::Length.encode_bytes(b"D too short", &mut bytes);
        let mut others = Vec::new();
        let end = Frames::new(&bytes, Framing::Length).visit(
            &mut others,
            |_, _, order| panic!("{order:?}"),
            |others, offset, other| others.push((offset, Message::parse(other).err())),
        );
        assert!(end.finish().is_ok());
        let wrong = Reason::WrongLength {
            tag: b'D',
            expected: 19,
            found: 11,
        };
        assert_eq!(others, [(2, None), (16, Some(wrong))]);
    }
}
