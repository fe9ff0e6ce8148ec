//! Requests to endpoint 0: the standard's (USB 2.0 section 9.4) and the class's (CCID 1.1 section 5.3). Everything else is stalled.

use super::{Function, Stall};
use crate::usb::descriptor::{BULK_IN, BULK_OUT, CLOCK, DATA_RATE, INTERRUPT_IN};

/// The eight bytes of a SETUP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// bmRequestType: bit 7 set for data to the host.
    pub request_type: u8,
    /// bRequest.
    pub request: u8,
    /// wValue.
    pub value: u16,
    /// wIndex.
    pub index: u16,
    /// wLength.
    pub length: u16,
}

impl Setup {
    /// The packet in its own order of bytes.
    #[must_use]
    pub const fn read(bytes: [u8; 8]) -> Self {
        let [request_type, request, a, b, c, d, e, f] = bytes;
        let [value, index, length] = [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]), u16::from_le_bytes([e, f])];
        Self { request_type, request, value, index, length }
    }

    /// As [`Setup::read`] reads it.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        let ([a, b], [c, d], [e, f]) = (self.value.to_le_bytes(), self.index.to_le_bytes(), self.length.to_le_bytes());
        [self.request_type, self.request, a, b, c, d, e, f]
    }
}

/// The endpoint's feature that CLEAR_FEATURE and SET_FEATURE name: its halt.
const ENDPOINT_HALT: u16 = 0;

impl Function {
    /// A control transfer: what is given to the host, at most as much as it asked for. No request has data for the device.
    ///
    /// # Errors
    /// [`Stall`] for a request that is not known.
    pub fn control(&mut self, setup: Setup) -> Result<Vec<u8>, Stall> {
        let [value_low, value_high] = setup.value.to_le_bytes();
        let endpoint = setup.index.to_le_bytes()[0];
        let mut answer = match (setup.request_type, setup.request) {
            // GET_DESCRIPTOR, GET_CONFIGURATION, SET_CONFIGURATION.
            (0x80, 0x06) => self.identity().descriptor(value_high, value_low).ok_or(Stall)?,
            (0x80, 0x08) => vec![u8::from(self.configured)],
            (0x00, 0x09) if self.set_configuration(value_low) => Vec::new(),
            // GET_STATUS of the device, the interface, an endpoint.
            (0x80 | 0x81, 0x00) => vec![0, 0],
            (0x82, 0x00) => vec![u8::from(endpoint == BULK_OUT && self.halted), 0],
            // GET_INTERFACE, SET_INTERFACE.
            (0x81, 0x0A) if setup.index == 0 => vec![0],
            (0x01, 0x0B) if (setup.index, setup.value) == (0, 0) => Vec::new(),
            // CLEAR_FEATURE, SET_FEATURE.
            (0x02, 0x01) if setup.value == ENDPOINT_HALT => self.halt(endpoint, false)?,
            (0x02, 0x03) if setup.value == ENDPOINT_HALT => self.halt(endpoint, true)?,
            (0x00 | 0x01, 0x01 | 0x03) => Vec::new(),
            // ABORT, GET_CLOCK_FREQUENCIES, GET_DATA_RATES.
            (0x21, 0x01) => {
                self.abort_by_control(value_low.into(), value_high);
                Vec::new()
            }
            (0xA1, 0x02) => CLOCK.to_le_bytes().to_vec(),
            (0xA1, 0x03) => DATA_RATE.to_le_bytes().to_vec(),
            _ => return Err(Stall),
        };
        answer.truncate(setup.length.into());
        Ok(answer)
    }

    /// What had come of a message before a halt is not its beginning any more.
    fn halt(&mut self, endpoint: u8, halted: bool) -> Result<Vec<u8>, Stall> {
        match endpoint {
            BULK_OUT => {
                self.halted = halted;
                self.collected = zeroize::Zeroizing::default();
                Ok(Vec::new())
            }
            BULK_IN | INTERRUPT_IN | 0 | 0x80 => Ok(Vec::new()),
            _ => Err(Stall),
        }
    }
}
