//! Parquet's hybrid of runs and packed bits: how places in a dictionary and definition levels are written.

use super::delta::put_varint;

/// Writes numbers of `width` bits each, at most 32.
pub(super) fn encode(values: &[u32], width: u32, out: &mut Vec<u8>) {
    // A run takes a header and a value and ends the packed numbers before it; a shorter one is better packed.
    let shortest_run = if width <= 2 { 32 } else { 8 };
    let mut packed_from = 0;
    let mut at = 0;
    while at < values.len() {
        // Most groups hold several values, which is seen without a branch for each.
        if let Some(group) = values[at..].first_chunk::<8>()
            && group.iter().fold(0, |all, value| all | (value ^ group[0])) != 0
        {
            at += 8;
            continue;
        }
        let run = run_length(&values[at..]);
        if run >= shortest_run {
            pack(&values[packed_from..at], width, out);
            put_run(run, values[at], width, out);
            at += run;
            packed_from = at;
        } else {
            at += 8;
        }
    }
    pack(&values[packed_from..], width, out);
}

/// How many numbers at the front are equal.
fn run_length(values: &[u32]) -> usize {
    values
        .iter()
        .take_while(|&&value| value == values[0])
        .count()
}

fn put_run(length: usize, value: u32, width: u32, out: &mut Vec<u8>) {
    put_varint((length << 1) as u64, out);
    let bytes = width.div_ceil(8) as usize;
    out.extend_from_slice(&value.to_le_bytes()[..bytes]);
}

/// Packs numbers in groups of eight, the last filled up with zeros.
fn pack(values: &[u32], width: u32, out: &mut Vec<u8>) {
    /// More than a group takes, so that each can be written whole.
    const ROOM: usize = 32;
    if values.is_empty() {
        return;
    }
    put_varint((values.len().div_ceil(8) << 1 | 1) as u64, out);
    let (groups, rest) = values.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let groups = groups.iter().chain((!rest.is_empty()).then_some(&last));

    let mut at = out.len();
    let size = width as usize;
    out.resize(at + values.len().div_ceil(8) * size + ROOM, 0);
    if width <= 8 {
        for group in groups {
            let place = |i: u32| u64::from(group[i as usize]) << (i * width);
            let bits = (0..8).fold(0, |bits, i| bits | place(i));
            out[at..at + 8].copy_from_slice(&bits.to_le_bytes());
            at += size;
        }
    } else if width <= 16 {
        for group in groups {
            let bits = four(group, 0, width) | four(group, 4, width) << (4 * width);
            out[at..at + 16].copy_from_slice(&bits.to_le_bytes());
            at += size;
        }
    } else {
        for group in groups {
            let (low, high) = (four(group, 0, width), four(group, 4, width));
            let first = low | high.checked_shl(4 * width).unwrap_or_default();
            let second = high >> (128 - 4 * width);
            out[at..at + 16].copy_from_slice(&first.to_le_bytes());
            out[at + 16..at + 32].copy_from_slice(&second.to_le_bytes());
            at += size;
        }
    }
    out.truncate(at);
}

/// Four numbers of a group, the first in the lowest bits.
#[inline]
fn four(group: &[u32; 8], from: usize, width: u32) -> u128 {
    let two = |i: usize| u64::from(group[from + i]) | u64::from(group[from + i + 1]) << width;
    u128::from(two(0)) | u128::from(two(2)) << (2 * width)
}

/// Writes the bit 1 for each row: the levels of rows that are all valid.
pub(super) fn encode_ones(rows: usize, out: &mut Vec<u8>) {
    put_run(rows, 1, 1, out);
}

/// Writes one bit for each row out of a bitmap: the levels of a column that may be null.
///
/// Bits behind the last row are ignored.
pub(super) fn encode_bits(bitmap: &[u8], rows: usize, out: &mut Vec<u8>) {
    const SHORTEST_RUN: usize = 4;
    let whole = rows / 8;
    let mut packed_from = 0;
    let mut at = 0;
    while at < whole {
        let byte = bitmap[at];
        let same = bitmap[at..whole].iter().take_while(|&&b| b == byte);
        let run = if matches!(byte, 0 | 0xFF) {
            same.count()
        } else {
            0
        };
        if run >= SHORTEST_RUN {
            pack_bits(&bitmap[packed_from..at], out);
            put_run(8 * run, u32::from(byte & 1), 1, out);
            at += run;
            packed_from = at;
        } else {
            at += run.max(1);
        }
    }
    pack_bits(&bitmap[packed_from..rows.div_ceil(8)], out);
}

fn pack_bits(bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        put_varint((bytes.len() << 1 | 1) as u64, out);
        out.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain reading of the format.
    fn decode(bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut at = 0;
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0, 0);
            loop {
                let byte = usize::from(bytes[at]);
                at += 1;
                header |= (byte & 0x7F) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let mut value = [0; 4];
                let size = width.div_ceil(8) as usize;
                value[..size].copy_from_slice(&bytes[at..at + size]);
                at += size;
                values.extend(std::iter::repeat_n(u32::from_le_bytes(value), header >> 1));
            } else {
                let size = (header >> 1) * width as usize;
                for i in 0..(header >> 1) * 8 {
                    let bit = |b: usize| u32::from(bytes[at + b / 8] >> (b % 8) & 1);
                    let value = (0..width as usize).map(|j| bit(i * width as usize + j) << j);
                    values.push(value.sum());
                }
                at += size;
            }
        }
        assert_eq!(at, bytes.len());
        values.truncate(count);
        values
    }

    #[test]
    fn numbers_come_back() {
        let mut state = 1_u64;
        let mut next = |n: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % n
        };
        for width in 0..=32_u32 {
            for _ in 0..60 {
                let mut values = Vec::new();
                while values.len() < 200 {
                    let value = u32::try_from(next(1 << width)).unwrap();
                    let run = if next(4) == 0 { next(90) } else { next(9) };
                    values.extend(std::iter::repeat_n(value, usize::try_from(run).unwrap()));
                }
                values.truncate(usize::try_from(next(200)).unwrap());
                let mut bytes = Vec::new();
                encode(&values, width, &mut bytes);
                assert_eq!(decode(&bytes, width, values.len()), values, "width {width}");
            }
        }
    }

    #[test]
    fn bits_come_back() {
        let mut state = 7_u64;
        for rows in 0..400_usize {
            let bitmap: Vec<u8> = (0..rows.div_ceil(8))
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    [0, 0xFF, 0xFF, 0xA5][usize::try_from(state >> 40).unwrap() % 4]
                })
                .flat_map(|byte| [byte; 3])
                .take(rows.div_ceil(8))
                .collect();
            let mut bytes = Vec::new();
            encode_bits(&bitmap, rows, &mut bytes);
            let bits: Vec<u32> = (0..rows)
                .map(|row| u32::from(bitmap[row / 8] >> (row % 8) & 1))
                .collect();
            assert_eq!(decode(&bytes, 1, rows), bits, "{rows} rows");
        }
    }
}
