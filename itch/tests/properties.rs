//! What holds for all messages and all bytes.

use nanobook_itch::*;
use proptest::collection::vec;
use proptest::prelude::*;

const FRAMINGS: [Framing; 3] = [Framing::Length, Framing::Zero, Framing::None];

/// A message of type `M` with any bytes in its fields.
fn any_message<M: Body + std::fmt::Debug>() -> impl Strategy<Value = M> {
    vec(any::<u8>(), size_of::<M>()).prop_map(|mut bytes| {
        bytes[0] = M::TAG;
        M::read_from_bytes(&bytes).expect("the vector has the size of the message")
    })
}

/// Decoding what was encoded gives the message back, under every framing.
fn round_trip<M: Body + PartialEq + std::fmt::Debug>(message: &M) -> Result<(), TestCaseError> {
    for framing in FRAMINGS {
        let mut bytes = Vec::new();
        framing.encode(message, &mut bytes);
        framing.encode_message(message.as_message(), &mut bytes);
        let mut frames = Frames::new(&bytes, framing);
        for (_, frame) in &mut frames {
            prop_assert_eq!(frame.len(), usize::from(LENGTH[usize::from(M::TAG)]));
            let decoded = Message::parse(frame)
                .map_err(|reason| TestCaseError::fail(format!("{reason} for {message:?}")))?;
            prop_assert_eq!(decoded, message.as_message());
            prop_assert_eq!(decoded.as_bytes(), message.as_bytes());
            prop_assert_eq!(decoded.tag(), M::TAG);
            let header = decoded.header();
            prop_assert_eq!(header.ns(), header.timestamp.ns());
        }
        prop_assert!(frames.rest().is_empty());
        prop_assert!(frames.finish().is_ok());
    }
    Ok(())
}

macro_rules! round_trips {
    ($($test:ident $message:ident),* $(,)?) => {
        proptest! {
            $(#[test]
            fn $test(message in any_message::<$message>()) {
                round_trip(&message)?;
            })*
        }

        #[test]
        fn every_type_is_tested() {
            let mut tested = vec![$($message::TAG),*];
            let mut all = TAGS.to_vec();
            tested.sort_unstable();
            all.sort_unstable();
            assert_eq!(tested, all);
        }
    };
}

round_trips! {
    system_event SystemEvent,
    stock_directory StockDirectory,
    stock_trading_action StockTradingAction,
    reg_sho_restriction RegShoRestriction,
    market_participant_position MarketParticipantPosition,
    mwcb_decline_level MwcbDeclineLevel,
    mwcb_status MwcbStatus,
    quoting_period_update QuotingPeriodUpdate,
    luld_auction_collar LuldAuctionCollar,
    operational_halt OperationalHalt,
    add_order AddOrder,
    add_order_attributed AddOrderAttributed,
    order_executed OrderExecuted,
    order_executed_with_price OrderExecutedWithPrice,
    order_cancel OrderCancel,
    order_delete OrderDelete,
    order_replace OrderReplace,
    trade Trade,
    cross_trade CrossTrade,
    broken_trade BrokenTrade,
    net_order_imbalance NetOrderImbalance,
    retail_interest RetailInterest,
    direct_listing DirectListing,
}

/// Reads all messages of a slice, with the error that ended it.
fn read_all(bytes: &[u8], framing: Framing) -> (Vec<(u64, Vec<u8>)>, Option<Error>) {
    let mut reader = FrameReader::with_capacity(bytes, framing, 0);
    let mut messages = Vec::new();
    loop {
        match reader.next_message() {
            Ok(Some((offset, message))) => messages.push((offset, message.to_vec())),
            Ok(None) => return (messages, None),
            Err(error) => return (messages, Some(error)),
        }
    }
}

proptest! {
    #[test]
    fn integers_round_trip(a in any::<u16>(), b in any::<u32>(), c in any::<u64>()) {
        prop_assert_eq!(Int2::new(a).get(), a);
        prop_assert_eq!(Int4::new(b).get(), b);
        prop_assert_eq!(Int8::new(c).get(), c);
        prop_assert_eq!(Price4::new(b).raw(), b);
        prop_assert_eq!(Price8::new(c).raw(), c);
        let ns = c & Time48::MAX_NS;
        prop_assert_eq!(Time48::new(ns).ns(), ns);
    }

    #[test]
    fn any_bytes_are_framed_without_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = Framing::detect(&bytes);
        for framing in FRAMINGS {
            let mut frames = Frames::new(&bytes, framing);
            let mut sliced = Vec::new();
            for (offset, message) in &mut frames {
                prop_assert_eq!(&bytes[offset..offset + message.len()], message);
                let parsed = Message::parse(message);
                prop_assert_eq!(parsed.is_ok(), LENGTH[usize::from(message[0])] as usize == message.len());
                sliced.push((offset as u64, message.to_vec()));
            }
            let (read, error) = read_all(&bytes, framing);
            prop_assert_eq!(read, sliced);
            prop_assert_eq!(error.map(|e| e.to_string()), frames.finish().err().map(|e| e.to_string()));
        }
    }

    /// Streams of known types with a byte changed here and there.
    #[test]
    fn damaged_feeds_are_framed_without_a_panic(
        tags in vec(0..TAGS.len(), 1..20),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        for framing in FRAMINGS {
            let mut bytes = Vec::new();
            for &tag in &tags {
                let mut message = vec![0; usize::from(LENGTH[usize::from(TAGS[tag])])];
                message[0] = TAGS[tag];
                framing.encode_bytes(&message, &mut bytes);
            }
            prop_assert_eq!(Framing::detect(&bytes).ok(), Some(framing));
            for (at, value) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            bytes.truncate(cut.index(bytes.len() + 1));
            let mut frames = Frames::new(&bytes, framing);
            let count = frames.by_ref().filter(|(_, message)| Message::parse(message) != Err(Reason::Empty)).count();
            prop_assert!(count <= bytes.len());
            prop_assert_eq!(read_all(&bytes, framing).0.len(), count);
        }
    }

    /// The message parser alone.
    #[test]
    fn wrong_lengths_are_told(tag in any::<u8>(), len in 1_usize..60) {
        let mut bytes = vec![0; len];
        bytes[0] = tag;
        match (Message::parse(&bytes), LENGTH[usize::from(tag)]) {
            (Err(Reason::UnknownType { tag: told }), 0) => prop_assert_eq!(told, tag),
            (Err(Reason::WrongLength { expected, found, .. }), known) => {
                prop_assert_eq!(expected, known);
                prop_assert_eq!(found, len);
                prop_assert_ne!(usize::from(known), len);
            }
            (Ok(message), known) => {
                prop_assert_eq!(usize::from(known), len);
                prop_assert_eq!(message.as_bytes(), &bytes[..]);
            }
            (Err(other), _) => return Err(TestCaseError::fail(other.to_string())),
        }
    }
}

#[test]
fn no_bytes_are_no_message() {
    assert_eq!(Message::parse(&[]), Err(Reason::Empty));
}

/// The layout by hand for one message, byte for byte.
#[test]
fn add_order_lies_as_the_specification_says() {
    let add = AddOrder {
        stock_locate: 13.into(),
        tracking_number: 2.into(),
        timestamp: Time48::new(34_200_000_000_000),
        order_reference_number: 42.into(),
        buy_sell_indicator: b'B',
        shares: 100.into(),
        stock: Stock8::new("AAPL").expect("four letters"),
        price: Price4::new(1_891_500),
        ..AddOrder::default()
    };
    let mut bytes = Vec::new();
    Framing::Length.encode(&add, &mut bytes);
    let expected = b"\x00\x24A\x00\x0d\x00\x02\x1f\x1a\xce\xd9\xf0\x00\
        \x00\x00\x00\x00\x00\x00\x00\x2aB\x00\x00\x00\x64AAPL    \x00\x1c\xdc\xac";
    assert_eq!(bytes, expected);
    let header = OrderHeader::peek(&bytes[2..]).expect("36 bytes hold the header");
    assert_eq!(header.order_reference_number.get(), 42);
    assert_eq!(header.header.stock_locate.get(), 13);
}
