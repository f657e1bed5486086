use super::*;
use crate::core::{Record, Reply};
use nanobook::Timestamp;

fn entries(count: u64) -> Vec<Entry> {
    let record = |seq| match seq % 3 {
        0 => Record::Killed,
        1 => Record::Unsent {
            client_order_id: "nb-1".parse().unwrap(),
            why: "a word, \"quoted\"".into(),
        },
        _ => Record::Submitted {
            client_order_id: "nb-1".parse().unwrap(),
            reply: Reply::Rejected {
                code: -2010,
                text: "no".into(),
            },
        },
    };
    (0..count)
        .map(|seq| Entry {
            seq,
            ts: Timestamp(7),
            record: record(seq),
        })
        .collect()
}

fn journal(count: u64) -> Vec<u8> {
    let disk = MemoryDisk::default();
    let (mut journal, _) = Journal::open(disk.clone()).unwrap();
    for entry in entries(count) {
        journal.append(&[entry]).unwrap();
    }
    disk.synced()
}

#[test]
fn a_journal_cut_at_any_byte_opens_with_its_whole_records_and_goes_on() {
    let bytes = journal(6);
    let full = read(&bytes).unwrap();
    for cut in 0..bytes.len() {
        let disk = MemoryDisk::of(bytes[..cut].to_vec());
        let (mut journal, contents) = Journal::open(disk.clone()).unwrap();
        let kept = contents.entries.len();
        assert_eq!(contents.entries, full.entries[..kept], "cut at {cut}");
        assert_eq!(contents.len + contents.torn_bytes, cut as u64);
        assert_eq!(verify(&bytes[..cut]).is_ok(), contents.torn_bytes == 0);
        journal.append(&full.entries[kept..]).unwrap();
        assert_eq!(disk.synced(), bytes, "cut at {cut}");
    }
}

#[test]
fn any_changed_byte_is_found() {
    let bytes = journal(4);
    assert_eq!(verify(&bytes).unwrap().entries, entries(4));
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            assert!(verify(&changed).is_err(), "byte {at} xor {flip:#x}");
        }
    }
}

#[test]
fn a_change_before_the_last_record_is_never_taken_for_a_crash() {
    let bytes = journal(4);
    let last = read(&journal(3)).unwrap().len;
    for at in 8..usize::try_from(last).unwrap() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(read(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn records_taken_out_put_in_or_moved_are_found() {
    let bytes = journal(4);
    let ends: Vec<usize> = (0..=4)
        .map(|count| usize::try_from(read(&journal(count)).unwrap().len.max(8)).unwrap())
        .collect();
    let part = |at: usize| &bytes[ends[at]..ends[at + 1]];
    let join = |parts: &[usize]| {
        let frames = parts.iter().flat_map(|&at| part(at).iter().copied());
        [&bytes[..8], &frames.collect::<Vec<u8>>()].concat()
    };
    assert!(verify(&join(&[0, 1, 2, 3])).is_ok());
    for parts in [&[1, 2, 3][..], &[0, 2, 3], &[0, 1, 1, 2], &[0, 2, 1, 3]] {
        assert!(verify(&join(parts)).is_err(), "{parts:?}");
    }
}

#[test]
fn a_full_disk_is_an_error_and_what_was_there_stays() {
    let whole = journal(5);
    let three = journal(3);
    for room in 0..whole.len() - three.len() {
        let disk = MemoryDisk::of(three.clone());
        let (mut journal, _) = Journal::open(disk.clone()).unwrap();
        disk.limit(Some(room));
        let rest = &entries(5)[3..];
        assert!(matches!(journal.append(rest), Err(Error::Write(_))));
        assert!(journal.append(rest).is_err(), "it takes nothing more");
        disk.limit(None);
        disk.unlock();
        let (mut journal, contents) = Journal::open(disk.clone()).unwrap();
        let kept = contents.entries.len();
        assert!((3..5).contains(&kept));
        journal.append(&entries(5)[kept..]).unwrap();
        assert_eq!(disk.synced(), whole);
    }
}

#[test]
fn a_file_has_one_writer_and_is_its_owners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.journal");
    let (mut journal, _) = Journal::open_file(&path).unwrap();
    journal.append(&entries(2)).unwrap();
    assert!(matches!(
        Journal::open_file(&path),
        Err(Error::Locked { .. })
    ));
    drop(journal);
    let (_, contents) = Journal::open_file(&path).unwrap();
    assert_eq!(contents.entries, entries(2));
    assert!(matches!(
        Journal::open_file(&folder.path().join("no/such/folder")),
        Err(Error::File { .. })
    ));
    std::fs::write(folder.path().join("other"), "[section]").unwrap();
    assert!(matches!(
        Journal::open_file(&folder.path().join("other")),
        Err(Error::NoJournal { .. })
    ));
}

#[test]
fn zeros_that_a_crash_left_are_dropped() {
    let mut bytes = journal(3);
    let len = bytes.len() as u64;
    bytes.extend_from_slice(&[0; 512]);
    let contents = read(&bytes).unwrap();
    assert_eq!((contents.len, contents.torn_bytes), (len, 512));
}
