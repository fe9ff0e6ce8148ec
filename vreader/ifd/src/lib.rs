//! An IFD handler: pcscd loads it, and shows a reader of a running `cardlab up` to every program of the machine,
//! setuid programs and services too. Insertion, removal and reset come through at once.
//!
//! One entry of `/etc/reader.conf.d` a reader; `DEVICENAME` is the socket of `cardlab up`, a colon, and the
//! reader's number:
//!
//! ```text
//! FRIENDLYNAME "cardlab"
//! DEVICENAME   /run/cardlab/cards:0
//! LIBPATH      /usr/lib/cardlab/libcardlab_ifd.so
//! ```
//! The module `reader` is a reader as pcscd handles it, in safe Rust; this file is the C interface (pcsc-lite, IFD handler
//! API version 3), and the only place with unsafe code.

mod reader;

use reader::{Answer, Reader};
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_long, c_ulong, c_void};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What pcscd calls DWORD.
type Dword = c_ulong;
/// RESPONSECODE.
type Code = c_long;

const SUCCESS: Code = 0;
const ERROR_TAG: Code = 600;
const NOT_SUPPORTED: Code = 606;
const POWER_ERROR: Code = 608;
const COMMUNICATION_ERROR: Code = 612;
const PRESENT: Code = 615;
const NOT_PRESENT: Code = 616;
const NO_SUCH_DEVICE: Code = 617;
const BUFFER_TOO_SMALL: Code = 618;

const POWER_UP: Dword = 500;
const POWER_DOWN: Dword = 501;
const RESET: Dword = 502;

const TAG_ATR: Dword = 0x0303;
const TAG_ATR_STRING: Dword = 0x0009_0303;
const TAG_SLOT_THREAD_SAFE: Dword = 0x0FAC;
const TAG_THREAD_SAFE: Dword = 0x0FAD;
const TAG_SLOTS: Dword = 0x0FAE;
const TAG_SIMULTANEOUS: Dword = 0x0FAF;
const TAG_POLLING_KILLABLE: Dword = 0x0FB1;
const TAG_STOP_POLLING: Dword = 0x0FB2;
const TAG_POLLING_WITH_TIMEOUT: Dword = 0x0FB3;
/// Readers that one library serves.
const MOST_READERS: u8 = 16;

/// SCARD_IO_HEADER.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct IoHeader {
    protocol: Dword,
    length: Dword,
}

type Readers = Mutex<HashMap<Dword, Arc<Reader>>>;

fn readers() -> MutexGuard<'static, HashMap<Dword, Arc<Reader>>> {
    static READERS: OnceLock<Readers> = OnceLock::new();
    READERS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lun: the reader in the upper half, the slot, which is always 0, in the lower.
fn reader(lun: Dword) -> Option<Arc<Reader>> {
    readers().get(&(lun >> 16)).cloned()
}

fn code(answer: Answer) -> Code {
    match answer {
        Answer::Fine => SUCCESS,
        Answer::Absent => NOT_PRESENT,
        Answer::Broken => COMMUNICATION_ERROR,
    }
}

/// Opens a reader.
///
/// # Safety
/// `name` is a C string, as pcscd gives one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHCreateChannelByName(lun: Dword, name: *const c_char) -> Code {
    if name.is_null() {
        return NO_SUCH_DEVICE;
    }
    // SAFETY: pcscd passes the entry's DEVICENAME, which ends with a zero.
    let name = unsafe { CStr::from_ptr(name) };
    match name.to_str().ok().and_then(Reader::open) {
        Some(opened) => {
            readers().insert(lun >> 16, Arc::new(opened));
            SUCCESS
        }
        None => NO_SUCH_DEVICE,
    }
}

/// An entry without DEVICENAME: there is no socket to ask.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHCreateChannel(_lun: Dword, _channel: Dword) -> Code {
    NO_SUCH_DEVICE
}

/// Closes a reader.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHCloseChannel(lun: Dword) -> Code {
    if let Some(closed) = readers().remove(&(lun >> 16)) {
        closed.stop_waiting();
    }
    SUCCESS
}

extern "C" fn wait(lun: Dword, limit: std::ffi::c_int) -> Code {
    let Some(reader) = reader(lun) else { return NO_SUCH_DEVICE };
    reader.wait(Duration::from_millis(limit.max(0).unsigned_abs().into()));
    SUCCESS
}

extern "C" fn stop_waiting(lun: Dword) -> Code {
    if let Some(reader) = reader(lun) {
        reader.stop_waiting();
    }
    SUCCESS
}

/// What the handler and the reader are.
///
/// # Safety
/// `length` is how much room `value` has, and both can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHGetCapabilities(lun: Dword, tag: Dword, length: *mut Dword, value: *mut u8) -> Code {
    let address = |function: *const c_void| (function as usize).to_ne_bytes().to_vec();
    let answer = match tag {
        TAG_ATR | TAG_ATR_STRING => reader(lun).map(|reader| reader.atr()).unwrap_or_default(),
        TAG_SLOTS | TAG_THREAD_SAFE | TAG_SLOT_THREAD_SAFE => vec![1],
        TAG_SIMULTANEOUS => vec![MOST_READERS],
        TAG_POLLING_KILLABLE => vec![0],
        TAG_STOP_POLLING => address(stop_waiting as *const c_void),
        TAG_POLLING_WITH_TIMEOUT => address(wait as *const c_void),
        _ => return ERROR_TAG,
    };
    // SAFETY: the caller's promise.
    unsafe { write(&answer, value, length) }
}

/// Copies an answer out, and says how long it is.
///
/// # Safety
/// `length` is how much room `value` has, and both can be written.
unsafe fn write(answer: &[u8], value: *mut u8, length: *mut Dword) -> Code {
    if value.is_null() || length.is_null() {
        return COMMUNICATION_ERROR;
    }
    // SAFETY: the caller's promise; both are not null.
    unsafe {
        let room = *length;
        *length = answer.len() as Dword;
        if (room as usize) < answer.len() {
            return BUFFER_TOO_SMALL;
        }
        std::ptr::copy_nonoverlapping(answer.as_ptr(), value, answer.len());
    }
    SUCCESS
}

/// Nothing can be set.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHSetCapabilities(_lun: Dword, _tag: Dword, _length: Dword, _value: *const u8) -> Code {
    ERROR_TAG
}

/// The protocol is chosen between pcscd and its programs; cardlab's own service finds the one that the card has.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHSetProtocolParameters(_lun: Dword, _protocol: Dword, _flags: u8, _pts1: u8, _pts2: u8, _pts3: u8) -> Code {
    SUCCESS
}

/// Power up, down, reset; the ATR.
///
/// # Safety
/// `length` is how much room `atr` has, and both can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHPowerICC(lun: Dword, action: Dword, atr: *mut u8, length: *mut Dword) -> Code {
    let Some(reader) = reader(lun) else { return NO_SUCH_DEVICE };
    let answer = match action {
        POWER_UP => reader.power_up(),
        RESET => reader.reset(),
        POWER_DOWN => {
            reader.power_down();
            Some(Vec::new())
        }
        _ => return NOT_SUPPORTED,
    };
    match answer {
        // SAFETY: the caller's promise.
        Some(answer) => unsafe { write(&answer, atr, length) },
        None => {
            if !length.is_null() {
                // SAFETY: the caller's promise; it is not null.
                unsafe { *length = 0 };
            }
            POWER_ERROR
        }
    }
}

/// One command APDU and its answer.
///
/// # Safety
/// `command` has `command_length` bytes; `length` is how much room `response` has; all can be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHTransmitToICC(
    lun: Dword,
    _send: IoHeader,
    command: *const u8,
    command_length: Dword,
    response: *mut u8,
    length: *mut Dword,
    receive: *mut IoHeader,
) -> Code {
    let (Some(reader), false) = (reader(lun), command.is_null()) else { return NO_SUCH_DEVICE };
    // SAFETY: the caller's promise.
    let command = unsafe { std::slice::from_raw_parts(command, command_length as usize) };
    let (answer, bytes) = reader.transmit(command);
    // SAFETY: the caller's promise.
    let written = unsafe { write(&bytes, response, length) };
    if !receive.is_null() {
        // SAFETY: the caller's promise; it is not null.
        unsafe { (*receive).protocol = _send.protocol };
    }
    if answer == Answer::Fine { written } else { code(answer) }
}

/// Features and properties of PC/SC part 10, the keypad among them.
///
/// # Safety
/// `input` has `input_length` bytes; `output` has `room` bytes; `returned` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHControl(
    lun: Dword,
    control: Dword,
    input: *const u8,
    input_length: Dword,
    output: *mut u8,
    room: Dword,
    returned: *mut Dword,
) -> Code {
    let Some(reader) = reader(lun) else { return NO_SUCH_DEVICE };
    // SAFETY: the caller's promise; no input may be a null pointer.
    let input = if input.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(input, input_length as usize) } };
    let Some(bytes) = reader.control(control as u32, input) else { return NOT_SUPPORTED };
    if returned.is_null() {
        return COMMUNICATION_ERROR;
    }
    // SAFETY: the caller's promise.
    unsafe {
        *returned = room;
        write(&bytes, output, returned)
    }
}

/// Whether there is a card.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHICCPresence(lun: Dword) -> Code {
    match reader(lun).map(|reader| reader.presence()) {
        Some(Answer::Fine) => PRESENT,
        Some(other) => code(other),
        None => NO_SUCH_DEVICE,
    }
}
