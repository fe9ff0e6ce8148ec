//! Crashes in memory: a disk that keeps what was written and what is durable apart, and loses at a chosen moment any
//! part of what lies between. Every moment of a run is tried, so nothing here depends on when a process is killed.

use super::{CardStore, Cards, file, read, write};
use cardlab_protocol::status::StatusWord;
use cardlab_sim::Random;
use cardlab_sim::nvm::{Change, Nvm, RecordId};
use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

/// What a disk writes at once.
const SECTOR: usize = 512;
const COUNTER: RecordId = RecordId::new(1, 0x180);
const PIN: RecordId = RecordId::new(1, 0x80);

/// What the disk was asked to do.
#[derive(Clone, Debug)]
enum Deed {
    Write(usize, Vec<u8>),
    Length(usize),
    Sync,
}

/// A disk that remembers everything it was asked.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Plate>>);

#[derive(Debug, Default)]
struct Plate {
    image: Vec<u8>,
    deeds: Vec<Deed>,
    /// From the deed of this number on the disk does nothing more.
    full_from: Option<usize>,
}

impl Disk {
    fn of(image: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(Plate { image: image.to_vec(), ..Plate::default() })))
    }

    fn do_it(&self, deed: Deed) -> io::Result<()> {
        let plate = &mut *self.0.lock().unwrap();
        if plate.full_from.is_some_and(|from| plate.deeds.len() >= from) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        apply(&mut plate.image, &deed);
        plate.deeds.push(deed);
        Ok(())
    }

    fn image(&self) -> Vec<u8> {
        self.0.lock().unwrap().image.clone()
    }

    /// How much it was asked so far.
    fn moment(&self) -> usize {
        self.0.lock().unwrap().deeds.len()
    }

    fn deeds(&self) -> Vec<Deed> {
        self.0.lock().unwrap().deeds.clone()
    }

    /// Has room for that many deeds more, or has room again.
    fn room(&self, deeds: Option<usize>) {
        let plate = &mut *self.0.lock().unwrap();
        plate.full_from = deeds.map(|more| plate.deeds.len() + more);
    }
}

fn apply(image: &mut Vec<u8>, deed: &Deed) {
    match deed {
        Deed::Write(at, bytes) => {
            let end = at + bytes.len();
            if image.len() < end {
                image.resize(end, 0);
            }
            image[*at..end].copy_from_slice(bytes);
        }
        Deed::Length(length) => image.resize(*length, 0),
        Deed::Sync => {}
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().image.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let image = &self.0.lock().unwrap().image;
        out.copy_from_slice(image.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.do_it(Deed::Length(usize::try_from(length).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.do_it(Deed::Sync)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.do_it(Deed::Write(usize::try_from(offset).unwrap(), bytes.to_vec()))
    }
}

/// What a disk has after its power went at `moment`: all that a sync had promised, and of the rest what `lucky` says,
/// sector by sector. A length that was set is kept or lost as a whole.
fn after_power_cut(start: &[u8], deeds: &[Deed], moment: usize, mut lucky: impl FnMut() -> bool) -> Vec<u8> {
    let mut image = start.to_vec();
    let synced = deeds[..moment].iter().rposition(|deed| matches!(deed, Deed::Sync)).map_or(0, |at| at + 1);
    deeds[..synced].iter().for_each(|deed| apply(&mut image, deed));
    for deed in &deeds[synced..moment] {
        match deed {
            Deed::Write(at, bytes) => {
                // Sectors start where the disk's do.
                let mut from = 0;
                while from < bytes.len() {
                    let to = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
                    if lucky() {
                        apply(&mut image, &Deed::Write(at + from, bytes[from..to].to_vec()));
                    }
                    from = to;
                }
            }
            other if lucky() => apply(&mut image, other),
            _ => {}
        }
    }
    image
}

fn change(tries: u8, pin: u8) -> [Change; 2] {
    let value = |bytes: &[u8]| Some(Zeroizing::new(bytes.to_vec()));
    [(COUNTER, value(&[tries, 3])), (PIN, value(&[pin; 700]))]
}

/// What the card has: its tries, and its PIN, which is changed with them.
fn seen(image: &[u8]) -> Result<(u8, u8), file::Trouble> {
    let mut image = image.to_vec();
    if let Some(flags) = file::newer(&image) {
        image[9] = flags;
    }
    let database = file::database(Disk::of(&image))?;
    let records = read(&database, 0).unwrap();
    let of = |id| &records.iter().find(|(found, _)| *found == id).unwrap().1;
    let pin = of(PIN);
    assert!(pin.iter().all(|byte| *byte == pin[0]), "one record is one state");
    Ok((of(COUNTER)[0], pin[0]))
}

/// A disk on which `commits` follow each other, where it started, and at which moments each was acknowledged.
fn run(commits: u8) -> (Vec<u8>, Vec<Deed>, Vec<usize>) {
    let made = Disk::default();
    file::empty(made.clone()).unwrap();
    let first = file::database(made.clone()).unwrap();
    write(&first, 0, &change(0, 0)).unwrap();
    drop(first);
    let start = made.image();
    let disk = Disk::of(&start);
    let database = file::database(disk.clone()).unwrap();
    let mut acknowledged = vec![0];
    for n in 1..=commits {
        write(&database, 0, &change(n, n)).unwrap();
        acknowledged.push(disk.moment());
    }
    // As a kill leaves it: never closed.
    let deeds = disk.deeds();
    std::mem::forget(database);
    (start, deeds, acknowledged)
}

/// Which commits may be found: the last that was acknowledged before `moment`, and the one under way.
fn allowed(acknowledged: &[usize], moment: usize) -> (usize, usize) {
    let last = acknowledged.iter().rposition(|at| *at <= moment).unwrap();
    (last, (last + 1).min(acknowledged.len() - 1))
}

#[test]
fn a_power_cut_at_any_moment_leaves_what_was_acknowledged_or_the_next() {
    let (start, deeds, acknowledged) = run(6);
    let mut random = Random::from_number(16, 0);
    let mut newer = 0;
    for moment in 0..=deeds.len() {
        let (last, next) = allowed(&acknowledged, moment);
        // All lost, all kept, and four draws between.
        for draw in 0..6 {
            let image = after_power_cut(&start, &deeds, moment, || match draw {
                0 => false,
                1 => true,
                _ => random.bytes::<1>()[0] & 1 == 1,
            });
            let (tries, pin) = seen(&image).unwrap_or_else(|e| panic!("moment {moment}, draw {draw}: {e}"));
            assert_eq!(tries, pin, "a transaction is whole");
            let tries = usize::from(tries);
            assert!(tries == last || tries == next, "moment {moment}, draw {draw}: {tries} of {last} or {next}");
            newer += usize::from(tries > last);
        }
    }
    assert!(newer > 0, "a commit that nobody was told of may count");
}

#[test]
fn a_flipped_bit_is_harmless_or_found_and_never_the_state_before() {
    let (start, deeds, acknowledged) = run(3);
    let mut random = Random::from_number(16, 1);
    let (mut found, mut harmless) = (0, 0);
    for moment in acknowledged[1]..=deeds.len() {
        // A kill loses nothing of what was written.
        let image = after_power_cut(&start, &deeds, moment, || true);
        let (last, next) = allowed(&acknowledged, moment);
        let drawn = (0..8).map(|_| usize::from(u16::from_le_bytes(random.bytes())) * 8 % (image.len() * 8));
        // The byte of flags, and some in the pages and slots.
        for bit in (0..8).map(|bit| 9 * 8 + bit).chain(drawn.collect::<Vec<_>>()) {
            let mut image = image.clone();
            image[bit / 8] ^= 1 << (bit % 8);
            match seen(&image) {
                Ok((tries, _)) => {
                    let tries = usize::from(tries);
                    assert!(tries == last || tries == next, "moment {moment}, bit {bit}: {tries} of {last} or {next}");
                    harmless += 1;
                }
                Err(file::Trouble::Damaged(_)) => found += 1,
                Err(other) => panic!("moment {moment}, bit {bit}: {other}"),
            }
        }
    }
    assert!(found > 0 && harmless > 0, "{found} found, {harmless} harmless");
}

#[test]
fn a_file_cut_short_anywhere_is_damaged() {
    let (start, deeds, _) = run(2);
    let image = after_power_cut(&start, &deeds, deeds.len(), || true);
    let lengths = (1..SECTOR).chain((SECTOR..image.len()).step_by(509));
    for length in lengths {
        assert!(matches!(seen(&image[..length]), Err(file::Trouble::Damaged(_))), "{length} of {} bytes", image.len());
    }
}

#[test]
fn a_disk_that_has_space_again_serves_again_and_keeps_what_the_card_said() {
    let (start, ..) = run(1);
    let mut filled = 0;
    for room in 0.. {
        let disk = Disk::of(&start);
        let opened = disk.clone();
        let cards = Arc::new(Cards::open(Box::new(move || file::database(opened.clone()))).unwrap());
        let commit = |nvm: &mut Nvm, tries: u8| {
            let mut transaction = nvm.begin();
            for (id, value) in change(tries, tries) {
                transaction.write(id, &value.unwrap()).unwrap();
            }
            transaction.commit()
        };
        let mut nvm = Nvm::open(Box::new(CardStore { cards, number: 0 })).unwrap();
        disk.room(Some(room));
        let first = commit(&mut nvm, 8);
        // Other cards of the directory, and this one again, while there is none.
        for _ in 0..2 {
            if first.is_err() {
                assert_eq!(commit(&mut nvm, 9), Err(StatusWord::MEMORY_FAILURE.into()), "room for {room}");
                assert_eq!(nvm.read(COUNTER), Some(&[0, 3][..]), "what was refused has changed nothing");
            }
        }
        disk.room(None);
        let said = nvm.read(COUNTER).unwrap()[0];
        let mut other = nvm.begin();
        other.write(RecordId::new(3, 1), b"any other").unwrap();
        other.commit().unwrap();
        let seen = seen(&disk.image()).unwrap();
        assert_eq!(seen, (said, said), "room for {room}: what the card says is what is kept");
        if first.is_ok() {
            break;
        }
        filled += 1;
    }
    assert!(filled > 4, "a commit is some writes: {filled}");
}
