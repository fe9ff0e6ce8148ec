//! USB/IP: devices for other computers, over TCP. Linux attaches them with `usbip attach`, Windows with usbip-win2.
//!
//! The protocol has no authentication and no encryption: whoever reaches the port has the cards. [`wire`] has the
//! messages, [`Imported`] is a connection that has a device, without I/O, [`serve`] the port.

pub mod wire;

use super::Device;
use super::ccid::Function;
use super::session::{self, Fault, MOST_WAITING, SessionError, Wire};
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use wire::{Answer, Command, Request, bus_id, status};

/// Where hosts look for devices.
pub const PORT: u16 = 3240;
/// Until a connection has said what it wants.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// Connections at once; a device has one.
const MOST_CONNECTIONS: usize = 64;
/// After a failed accept: out of descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(200);
/// A computer that is silent for so long is asked whether it is still there, so many times, so far apart.
const SILENCE: Duration = Duration::from_secs(10);
const QUESTIONS: u32 = 3;

/// Serves the devices, which are called `1-1`, `1-2` and so on. `ended` hears why connections were ended from here.
pub async fn serve(
    listener: TcpListener,
    devices: Vec<Device>,
    ended: impl Fn(&SessionError) + Clone + Send + 'static,
) -> Infallible {
    let (devices, places): (Arc<[Device]>, _) = (devices.into(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // More than that are turned away.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (devices, ended) = (Arc::clone(&devices), ended.clone());
        tokio::spawn(async move {
            if let Err(error) = connection(stream, &devices).await {
                ended(&error);
            }
            drop(place);
        });
    }
}

async fn connection(mut stream: TcpStream, devices: &[Device]) -> Result<(), SessionError> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&stream, true).map_err(std::io::Error::from)?;
    sockopt::set_tcp_keepidle(&stream, SILENCE).map_err(std::io::Error::from)?;
    sockopt::set_tcp_keepintvl(&stream, SILENCE).map_err(std::io::Error::from)?;
    sockopt::set_tcp_keepcnt(&stream, QUESTIONS).map_err(std::io::Error::from)?;
    // Who says nothing is not waited for.
    let Ok(asked) = tokio::time::timeout(REQUEST_LIMIT, request(&mut stream)).await else { return Ok(()) };
    let Some(request) = asked? else { return Ok(()) };
    match request {
        Request::List => {
            let plugged: Vec<_> = numbered(devices).filter(|(_, device)| device.is_plugged()).collect();
            let listed = wire::listed(plugged.iter().map(|(number, device)| (*number, device.identity())));
            stream.write_all(&listed).await?;
            Ok(())
        }
        Request::Import(name) => {
            let found = numbered(devices).find(|(number, device)| bus_id(*number) == name && device.is_plugged());
            let Some((number, device)) = found else {
                stream.write_all(&wire::imported(None)).await?;
                return Ok(());
            };
            let Some(mut attachment) = device.attach() else {
                stream.write_all(&wire::imported(None)).await?;
                return Err(SessionError::Taken);
            };
            stream.write_all(&wire::imported(Some((number, device.identity())))).await?;
            session::run(&mut stream, &mut Imported::default(), &mut attachment).await
        }
    }
}

fn numbered(devices: &[Device]) -> impl Iterator<Item = (usize, &Device)> {
    devices.iter().enumerate().map(|(index, device)| (index + 1, device))
}

/// What the connection begins with; `None` when it ended before. Nothing is read that comes after.
async fn request(stream: &mut TcpStream) -> Result<Option<Request>, SessionError> {
    let mut bytes = Vec::new();
    loop {
        if let Some((request, _)) = Request::read(&bytes)? {
            return Ok(Some(request));
        }
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// An IN transfer that waits.
struct Waiting {
    seq: u32,
    length: u32,
    flags: u32,
}

/// A connection that has a device.
#[derive(Default)]
pub struct Imported {
    input: Vec<u8>,
    output: Vec<u8>,
    /// Transfers that wait, by the number of their IN endpoint.
    waiting: [VecDeque<Waiting>; 16],
}

impl Wire for Imported {
    fn receive(&mut self, bytes: &[u8], function: &mut Function) -> Result<(), Fault> {
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut used = 0;
        while let Some((command, length)) = Command::read(&input[used..])? {
            self.command(&command, function)?;
            used += length;
        }
        input.drain(..used);
        self.input = input;
        Ok(())
    }

    fn advance(&mut self, function: &mut Function, plugged: bool, out: &mut Vec<u8>) -> bool {
        for (endpoint, waiting) in self.waiting.iter_mut().enumerate() {
            while let Some(first) = waiting.front()
                && let Some(data) = function.read(0x80 | endpoint as u8, first.length as usize)
            {
                let length = data.len() as u32;
                let short = length < first.length && first.flags & wire::SHORT_NOT_OK != 0;
                let status = if short { status::SHORT } else { status::DONE };
                Answer::Submitted { seq: first.seq, status, length, data }.write(&mut self.output);
                waiting.pop_front();
            }
        }
        out.append(&mut self.output);
        // A device that is unplugged is gone; the host attaches it anew.
        plugged
    }
}

impl Imported {
    fn command(&mut self, command: &Command<'_>, function: &mut Function) -> Result<(), Fault> {
        match *command {
            Command::Unlink { seq, of } => {
                let taken = self.waiting.iter_mut().any(|waiting| {
                    let index = waiting.iter().position(|waiting| waiting.seq == of);
                    index.is_some_and(|index| waiting.remove(index).is_some())
                });
                let status = if taken { status::UNLINKED } else { status::DONE };
                Answer::Unlinked { seq, status }.write(&mut self.output);
            }
            Command::Submit { seq, endpoint: 0, length, setup, .. } => {
                let answer = function.control(setup);
                let status = if answer.is_ok() { status::DONE } else { status::STALL };
                let mut data = answer.unwrap_or_default();
                data.truncate(length as usize);
                Answer::Submitted { seq, status, length: data.len() as u32, data }.write(&mut self.output);
            }
            Command::Submit { seq, endpoint, to_host: false, data, .. } => {
                let taken = function.write(endpoint, data).is_ok();
                let (status, length) = if taken { (status::DONE, data.len() as u32) } else { (status::STALL, 0) };
                Answer::Submitted { seq, status, length, data: Vec::new() }.write(&mut self.output);
            }
            Command::Submit { seq, endpoint, length, flags, .. } => {
                if !Function::has_in(0x80 | endpoint) {
                    let (status, length) = (status::NO_ENDPOINT, 0);
                    Answer::Submitted { seq, status, length, data: Vec::new() }.write(&mut self.output);
                    return Ok(());
                }
                let waiting = &mut self.waiting[usize::from(endpoint)];
                if waiting.len() >= MOST_WAITING {
                    return Err(Fault::TooMany);
                }
                waiting.push_back(Waiting { seq, length, flags });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
