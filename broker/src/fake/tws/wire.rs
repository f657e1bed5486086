//! Protocol buffers, as far as a gateway needs them, and frames.

use std::io::{self, Read, Write};

/// A value on the wire.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Varint(u64),
    Double(f64),
    Bytes(Vec<u8>),
}

/// A message: numbered values, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message(Vec<(u32, Value)>);

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// `None` when the bytes are no message.
    pub(super) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let number = u32::try_from(key >> 3).ok()?;
            let value = match key & 7 {
                0 => Value::Varint(varint(&mut bytes)?),
                1 => {
                    let (word, rest) = bytes.split_first_chunk::<8>()?;
                    bytes = rest;
                    Value::Double(f64::from_le_bytes(*word))
                }
                2 => {
                    let length = usize::try_from(varint(&mut bytes)?).ok()?;
                    let (text, rest) = bytes.split_at_checked(length)?;
                    bytes = rest;
                    Value::Bytes(text.to_vec())
                }
                5 => {
                    bytes = bytes.get(4..)?;
                    continue;
                }
                _ => return None,
            };
            fields.push((number, value));
        }
        Some(Self(fields))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, value) in &self.0 {
            let key = u64::from(*number) << 3;
            match value {
                Value::Varint(value) => {
                    put(&mut bytes, key);
                    put(&mut bytes, *value);
                }
                Value::Double(value) => {
                    put(&mut bytes, key | 1);
                    bytes.extend(value.to_le_bytes());
                }
                Value::Bytes(text) => {
                    put(&mut bytes, key | 2);
                    put(&mut bytes, text.len() as u64);
                    bytes.extend(text);
                }
            }
        }
        bytes
    }

    /// Adds a value to a field that has several.
    pub(super) fn and_message(mut self, number: u32, value: &Self) -> Self {
        self.0.push((number, Value::Bytes(value.bytes())));
        self
    }

    /// The last value of a field, which is the one that counts.
    fn get(&self, number: u32) -> Option<&Value> {
        self.0
            .iter()
            .rfind(|(n, _)| *n == number)
            .map(|(_, value)| value)
    }

    pub(super) fn int(&self, number: u32) -> i64 {
        match self.get(number) {
            Some(Value::Varint(value)) => value.cast_signed(),
            _ => 0,
        }
    }

    pub(super) fn double(&self, number: u32) -> Option<f64> {
        match self.get(number) {
            Some(Value::Double(value)) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn text(&self, number: u32) -> String {
        match self.get(number) {
            Some(Value::Bytes(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => String::new(),
        }
    }

    pub(super) fn message(&self, number: u32) -> Self {
        match self.get(number) {
            Some(Value::Bytes(bytes)) => Self::parse(bytes).unwrap_or_default(),
            _ => Self::default(),
        }
    }

    fn with(mut self, number: u32, value: Value) -> Self {
        self.0.retain(|(n, _)| *n != number);
        self.0.push((number, value));
        self
    }

    pub(super) fn with_int(self, number: u32, value: i64) -> Self {
        self.with(number, Value::Varint(value.cast_unsigned()))
    }

    pub(super) fn with_double(self, number: u32, value: f64) -> Self {
        self.with(number, Value::Double(value))
    }

    pub(super) fn with_text(self, number: u32, value: impl Into<String>) -> Self {
        self.with(number, Value::Bytes(value.into().into_bytes()))
    }

    pub(super) fn with_message(self, number: u32, value: &Self) -> Self {
        self.with(number, Value::Bytes(value.bytes()))
    }
}

/// What is added to a message's id to say that it is protobuf.
const PROTOBUF: i32 = 200;

/// Reads a frame; `None` when the other side has gone or talks nonsense.
pub(super) fn read(stream: &mut impl Read) -> Option<(i32, Message)> {
    let body = read_raw(stream)?;
    let (id, rest) = body.split_first_chunk::<4>()?;
    let id = i32::from_be_bytes(*id).checked_sub(PROTOBUF)?;
    Some((id, Message::parse(rest)?))
}

/// Reads the bytes of a frame.
pub(super) fn read_raw(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let length = usize::try_from(u32::from_be_bytes(length))
        .ok()
        .filter(|n| *n < 1 << 24)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

/// Writes a frame.
pub(super) fn write(stream: &mut impl Write, id: i32, message: &Message) -> io::Result<()> {
    let mut body = (id + PROTOBUF).to_be_bytes().to_vec();
    body.extend(message.bytes());
    write_raw(stream, &body)
}

/// Writes the bytes of a frame.
pub(super) fn write_raw(stream: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend(body);
    stream.write_all(&frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Message::new().with_text(2, "AAPL").with_double(9, 1.5);
        let message = Message::new()
            .with_int(1, -1)
            .with_message(3, &inner)
            .with_int(1, 300);
        let mut bytes = Vec::new();
        write(&mut bytes, 5, &message).unwrap();
        assert_eq!(read(&mut bytes.as_slice()), Some((5, message.clone())));
        assert_eq!(
            (message.int(1), message.message(3).double(9)),
            (300, Some(1.5))
        );
        // From the documentation of protocol buffers: field 1 is 150.
        assert_eq!(Message::new().with_int(1, 150).bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::parse(&[0x0a, 0x05, 0x41]), None);
    }
}
