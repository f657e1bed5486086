//! Parquet's packed differences, for columns whose neighbours are close to each other.
//!
//! A page holds its first value and then blocks of differences: the smallest of a block, and by how much each is larger,
//! packed in four parts that have a width of bits each.

/// Differences of a block.
const BLOCK: usize = 128;

/// Differences of a part of a block.
const PART: usize = 32;

/// Writes the values of a page, of which there may be none.
pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    let (first, rest) = match values.split_first() {
        Some((&first, rest)) => (first, rest),
        None => (0, values),
    };
    put_varint(BLOCK as u64, out);
    put_varint((BLOCK / PART) as u64, out);
    put_varint(values.len() as u64, out);
    put_zigzag(first, out);
    let mut before = first;
    for block in rest.chunks(BLOCK) {
        let mut differences = [0_i64; BLOCK];
        for (difference, &value) in differences.iter_mut().zip(block) {
            *difference = value.wrapping_sub(before);
            before = value;
        }
        let used = &differences[..block.len()];
        let smallest = used.iter().copied().min().unwrap_or_default();
        put_zigzag(smallest, out);
        put_parts(used, smallest, out);
    }
}

/// The width of each part, then the parts, the last filled up with zeros. Parts without a difference are left out.
fn put_parts(differences: &[i64], smallest: i64, out: &mut Vec<u8>) {
    let widths = out.len();
    out.extend_from_slice(&[0; BLOCK / PART]);
    for (place, differences) in differences.chunks(PART).enumerate() {
        let mut part = [0_u64; PART];
        for (above, &difference) in part.iter_mut().zip(differences) {
            *above = difference.wrapping_sub(smallest).cast_unsigned();
        }
        let width = u64::BITS
            - part
                .iter()
                .fold(0, |all, above| all | above)
                .leading_zeros();
        out[widths + place] = width.to_le_bytes()[0];
        pack(&part, width, out);
    }
}

/// Packs a part: thirty-two numbers of `width` bits are `4 * width` bytes.
fn pack(part: &[u64; PART], width: u32, out: &mut Vec<u8>) {
    let pair = |a: u64, b: u64| a | b << width;
    match width {
        0 => {}
        1..=16 => {
            let (fours, _) = part.as_chunks::<4>();
            let fours = fours.iter().map(|[a, b, c, d]| {
                let (low, high) = (pair(*a, *b), pair(*c, *d));
                low | high << (2 * width)
            });
            put_bits(fours, 4 * width, out);
        }
        17..=32 => {
            let (pairs, _) = part.as_chunks::<2>();
            put_bits(pairs.iter().map(|[a, b]| pair(*a, *b)), 2 * width, out);
        }
        _ => put_bits(part.iter().copied(), width, out),
    }
}

/// Writes numbers of `width` bits each, from 1 to 64, which are whole bytes in all.
fn put_bits(numbers: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0_u128, 0);
    for number in numbers {
        bits |= u128::from(number) << count;
        count += width;
        if count >= 64 {
            #[expect(clippy::cast_possible_truncation, reason = "the rest stays behind")]
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            count -= 64;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes()[..count as usize / 8]);
}

fn put_zigzag(value: i64, out: &mut Vec<u8>) {
    put_varint((value << 1 ^ value >> 63).cast_unsigned(), out);
}

/// Writes a number seven bits at a time, the lowest first.
pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
