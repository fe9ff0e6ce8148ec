//! Our card in the virtual reader of others: a system-wide pcscd's.
//!
//! The question for the ATR is also how the driver polls for presence. Several cards are served by tasks of one
//! thread; what takes long leaves it ([`crate::placement`]).

use super::wire::{self, Asked, Control};
use crate::icc::{Icc, Loss};
use crate::placement;
use crate::resource::SlotCard;
use rustix::net::sockopt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Keeps a card in the virtual reader at `address` (`host:port`): connects, serves, and connects
/// again when pcscd restarts. `connected` is called at every connection. Never ends.
pub async fn serve(address: &str, card: Box<dyn Icc>, mut connected: impl FnMut()) -> std::convert::Infallible {
    let slot = Arc::new(Mutex::new(Some(card)));
    let mut pause = FIRST_PAUSE;
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            pause = FIRST_PAUSE;
            connected();
            // The connection ends when pcscd does; that is no error of ours.
            let _ = session(stream, &slot).await;
            if let Some(card) = slot.lock().await.as_mut() {
                card.power_off();
            }
        }
        // Nothing tells when somebody starts to listen: ask again, ever more rarely.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn session(mut stream: TcpStream, slot: &Arc<Mutex<SlotCard>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut atr = None;
    let mut message = Vec::new();
    loop {
        // The driver of Debian 12 writes length and data apart; with delayed acknowledgements each
        // command would take 44 ms. The kernel forgets the option, so it is set for every read.
        sockopt::set_tcp_quickack(&stream, true)?;
        let length = stream.read_u16().await?;
        sockopt::set_tcp_quickack(&stream, true)?;
        message.resize(length.into(), 0);
        stream.read_exact(&mut message).await?;
        let mut held = Arc::clone(slot).lock_owned().await;
        let Some(card) = held.as_mut() else { return Ok(()) };
        match Asked::of(&message) {
            Asked::Control(Control::PowerOff) => card.power_off(),
            Asked::Control(Control::PowerOn) => atr = card.power_on(),
            Asked::Control(Control::Reset) => atr = card.reset(),
            Asked::Control(Control::GiveAtr) => {
                if atr.is_none() {
                    atr = card.power_on();
                    card.power_off();
                }
                reply(&mut stream, atr.as_deref().unwrap_or_default()).await?;
            }
            Asked::Unknown => {}
            Asked::Command(command) => {
                // A silent card is a card that has gone: end the connection.
                let response = placement::transmit(held, command).await.1;
                let response = response.unwrap_or(Err(Loss::Power)).map_err(io::Error::other)?;
                reply(&mut stream, &response).await?;
            }
        }
    }
}

async fn reply(stream: &mut TcpStream, data: &[u8]) -> io::Result<()> {
    let mut message = Vec::with_capacity(data.len() + 2);
    if !wire::write(data, &mut message) {
        return Err(io::Error::other("an answer that vpcd cannot carry"));
    }
    stream.write_all(&message).await
}
