//! BEGIN_TRANSACTION, END_TRANSACTION.

use super::reader::Lock;
use super::{ConnectionId, Decision, Flag, LockSeen, Resource, SlotCard};
use cardlab_pcsclite::code::{ReturnCode, disposition};

impl Resource {
    /// BEGIN_TRANSACTION; nests. A lock held on the same connection is answered at once: its owner
    /// could not free it while this reply is withheld.
    pub fn begin(&mut self, id: ConnectionId, handle: u32) -> Decision<ReturnCode> {
        let Some((reader_id, flag)) = self.own(id, handle).map(|h| (h.reader, h.flag)) else { return Decision::Close };
        let answer = Decision::Answer;
        let Some(reader_id) = reader_id else { return answer(ReturnCode::INVALID_VALUE) };
        let seen = self.lock_seen_by(reader_id, id, Some(handle));
        let Some(reader) = self.reader_mut(reader_id) else { return answer(ReturnCode::INVALID_VALUE) };
        if reader.failing {
            return answer(ReturnCode::READER_UNAVAILABLE);
        }
        if flag != Flag::None {
            return answer(flag.code());
        }
        let depth = reader.lock.map_or(0, |l| l.depth);
        match seen {
            LockSeen::Other => Decision::Wait,
            LockSeen::SameConnection => answer(ReturnCode::SHARING_VIOLATION),
            LockSeen::Free | LockSeen::Own => {
                reader.lock = Some(Lock { owner: handle, depth: depth + 1 });
                answer(ReturnCode::OK)
            }
        }
    }

    /// END_TRANSACTION. RESET and UNPOWER flag every handle, the caller's own too.
    pub fn end(&mut self, id: ConnectionId, handle: u32, disposition: u32, card: &mut SlotCard) -> Decision<ReturnCode> {
        let Some((reader_id, flag)) = self.own(id, handle).map(|h| (h.reader, h.flag)) else { return Decision::Close };
        if disposition > disposition::EJECT {
            return Decision::Answer(ReturnCode::INVALID_VALUE);
        }
        let Some(reader_id) = reader_id else { return Decision::Answer(ReturnCode::INVALID_VALUE) };
        if flag != Flag::None {
            return Decision::Answer(flag.code());
        }
        let seen = self.lock_seen_by(reader_id, id, Some(handle));
        if matches!(seen, LockSeen::Other | LockSeen::SameConnection) {
            return Decision::Answer(ReturnCode::SHARING_VIOLATION);
        }
        if matches!(disposition, disposition::RESET | disposition::UNPOWER) {
            self.act(reader_id, disposition, card);
            // UNPOWER is a power cycle here: the caller goes on with the card.
            if let (disposition::UNPOWER, Some(reader)) = (disposition, self.reader_mut(reader_id)) {
                reader.power_on(card);
            }
            self.flag_handles(reader_id, None, Flag::Reset);
        }
        let unlocked = self.unlock(handle);
        Decision::Answer(if disposition == disposition::EJECT && unlocked == ReturnCode::OK {
            ReturnCode::UNSUPPORTED_FEATURE
        } else {
            unlocked
        })
    }

    /// One level of the lock. In exclusive mode the first level belongs to the connection.
    fn unlock(&mut self, number: u32) -> ReturnCode {
        let Some(handle) = self.handles.get(&number) else { return ReturnCode::INVALID_HANDLE };
        let floor = u32::from(handle.exclusive);
        let Some(reader_id) = handle.reader else { return ReturnCode::INVALID_VALUE };
        let Some(reader) = self.reader_mut(reader_id) else { return ReturnCode::INVALID_VALUE };
        match reader.lock {
            Some(lock) if lock.owner == number && lock.depth > floor => {
                let depth = lock.depth - 1;
                reader.lock = (depth > 0).then_some(Lock { depth, ..lock });
                if depth == 0 {
                    self.signals.freed.push(reader_id);
                }
                ReturnCode::OK
            }
            _ => ReturnCode::NOT_TRANSACTED,
        }
    }
}
