//! Frames: a record in bytes and back.

use sha2::{Digest, Sha256};

use crate::core::Entry;
use crate::error::{Error, Result};

/// What a journal begins with.
pub(super) const LINE: &[u8] = b"nbjrnl1\n";

/// Length, hash and checksum.
const AROUND: usize = 4 + 32 + 4;

/// The reflected polynomial of CRC-32C (Castagnoli).
const POLYNOMIAL: u32 = 0x82F6_3B78;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
};

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xFF) as usize]
    })
}

/// What is in a journal.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Its records.
    pub entries: Vec<Entry>,
    /// The hash of each, in their order: its place in the chain.
    pub hashes: Vec<[u8; 32]>,
    /// Bytes up to the end of the last whole record.
    pub len: u64,
    /// Bytes after it, which a crash has cut short.
    pub torn_bytes: u64,
    /// The chain's last hash.
    pub hash: [u8; 32],
}

/// Appends a frame and gives its hash.
pub(super) fn write(out: &mut Vec<u8>, entry: &Entry, before: [u8; 32]) -> Result<[u8; 32]> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    serde_json::to_writer(&mut *out, entry)
        .map_err(|error| Error::Write(std::io::Error::other(error)))?;
    let len = u32::try_from(out.len() - start - 4)
        .map_err(|_| Error::Write(std::io::Error::other("a record of more than 4 GB")))?;
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
    let hash = chained(before, &out[start..]);
    out.extend_from_slice(&hash);
    let crc = crc32c(&out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
    Ok(hash)
}

fn chained(before: [u8; 32], len_and_payload: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(len_and_payload);
    sha.finalize().into()
}

/// The frame at the start of these bytes, whole and with the right checksum: its length.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let len = bytes.first_chunk::<4>()?;
    let whole = usize::try_from(u32::from_le_bytes(*len)).ok()? + AROUND;
    let frame = bytes.get(..whole)?;
    let (body, crc) = frame.split_last_chunk::<4>()?;
    (crc32c(body) == u32::from_le_bytes(*crc)).then_some(whole)
}

/// Reads a journal up to what a crash has cut short.
pub(super) fn read(bytes: &[u8]) -> Result<Contents> {
    let mut contents = Contents {
        entries: Vec::new(),
        hashes: Vec::new(),
        len: 0,
        torn_bytes: bytes.len() as u64,
        hash: Sha256::digest(LINE).into(),
    };
    if !bytes.starts_with(LINE) {
        return if LINE.starts_with(bytes) {
            Ok(contents)
        } else {
            Err(Error::NoJournal {
                detail: "it does not begin like one".into(),
            })
        };
    }
    let mut at = LINE.len();
    while let Some((entry, hash, whole)) = follow(bytes, at, &contents)? {
        contents.entries.push(entry);
        contents.hashes.push(hash);
        contents.hash = hash;
        at += whole;
    }
    contents.len = at as u64;
    contents.torn_bytes = (bytes.len() - at) as u64;
    let rest = &bytes[at..];
    if !is_torn(rest) {
        return Err(Error::Damaged {
            offset: at as u64,
            seq: contents.entries.len() as u64,
            detail: "its checksum is wrong".into(),
        });
    }
    Ok(contents)
}

/// The record at `at`, its hash and the length of its frame; `None` where no frame with the right checksum begins.
fn follow(bytes: &[u8], at: usize, before: &Contents) -> Result<Option<(Entry, [u8; 32], usize)>> {
    let Some(whole) = frame_len(&bytes[at..]) else {
        return Ok(None);
    };
    let frame = &bytes[at..at + whole];
    let seq = before.entries.len() as u64;
    let damaged = |detail: String| Error::Damaged {
        offset: at as u64,
        seq,
        detail,
    };
    let body = &frame[..whole - 36];
    let hash = chained(before.hash, body);
    if hash != frame[whole - 36..whole - 4] {
        return Err(damaged("it does not follow the record before it".into()));
    }
    let entry: Entry = serde_json::from_slice(&body[4..])
        .map_err(|error| damaged(format!("no record: {error}")))?;
    let canonical = serde_json::to_vec(&entry).map_err(|error| damaged(error.to_string()))?;
    if canonical != body[4..] {
        return Err(damaged("not in canonical form".into()));
    }
    if entry.seq != seq {
        return Err(damaged(format!("its number is {}", entry.seq)));
    }
    Ok(Some((entry, hash, whole)))
}

/// Reads on: the records in bytes that follow what was read before. For readers that follow a writer.
#[cfg(feature = "simulation")]
pub(crate) fn read_on(contents: &mut Contents, bytes: &[u8]) -> Result<()> {
    let mut at = 0;
    while let Some((entry, hash, whole)) = follow(bytes, at, contents)? {
        contents.entries.push(entry);
        contents.hashes.push(hash);
        contents.hash = hash;
        contents.len += whole as u64;
        at += whole;
    }
    contents.torn_bytes = (bytes.len() - at) as u64;
    Ok(())
}

/// Whether bytes that begin with no valid frame are what a crash leaves: cut short, or zeros where nothing was written
/// yet, with no valid frame behind.
fn is_torn(rest: &[u8]) -> bool {
    let promised = rest
        .first_chunk::<4>()
        .map_or(usize::MAX, |len| u32::from_le_bytes(*len) as usize + AROUND);
    let is_short = rest.len() < promised;
    let is_unwritten = rest.ends_with(&[0; 4]);
    let is_followed = (1..rest.len()).any(|at| frame_len(&rest[at..]).is_some());
    rest.is_empty() || ((is_short || is_unwritten) && !is_followed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnoli() {
        // The check value of the CRC catalogue for CRC-32/ISCSI.
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }
}
