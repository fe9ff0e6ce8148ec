//! Readers as USB devices, for virtual machines and other computers: one CCID function, and two wires that carry it.
//!
//! | module | what it knows |
//! |---|---|
//! | [`descriptor`] | who the device is: VID:PID, strings, descriptors |
//! | [`ccid`] | the function: control requests, bulk messages, interrupts. No I/O, no clock |
//! | [`device`] | a function over a [`crate::Rack`]'s readers, for one guest at a time |
//! | [`session`] | a wire's connection: bytes in, bytes out, cards at work meanwhile |
//! | [`usbredir`] | QEMU, libvirt and SPICE guests over a Unix socket |
//! | [`usbip`] | other computers over TCP: Linux `usbip`, usbip-win2 |
//!
//! One command's way: a wire decodes a transfer, [`ccid::Function`] makes an [`ccid::Action`] of it, [`device`] carries that out
//! at the card as any program's command - away from the readers' thread when it takes long -, the function makes the
//! answer, and the wire gives it to the transfer that waits for it.

pub mod ccid;
pub mod descriptor;
pub mod device;
pub mod session;
pub mod usbip;
pub mod usbredir;

pub use descriptor::Identity;
pub use device::Device;
