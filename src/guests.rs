//! Guests: cards that are not simulated, brought into readers of ours.

use crate::exit::{Exit, Failure, OrExit};
use crate::readers::ReadyCard;
use anyhow::{Context as _, anyhow};
use cardlab_pcsclite::client::default_socket;
use cardlab_vreader::real::{self, Real};
use cardlab_vreader::replay::Replay;
use cardlab_vreader::setup::guest::{GuestRequest, Source};
use cardlab_vreader::spare::Spare;
use cardlab_vreader::trace::{self, Recorder};
use cardlab_vreader::vpcd::guest::{End, Event, Port};
use cardlab_vreader::{Button, Icc, Place, Presence, Rack, VirtualCard};
use cardlab_whole as whole;
use std::net::{SocketAddr, TcpListener};

/// Where `exec` tells its command the ports of `vpcd:` readers, with commas between.
pub(crate) const PORTS_VARIABLE: &str = "CARDLAB_VPCD";

/// Who brings a guest into its reader, and takes it out again.
pub(crate) enum Keeper {
    /// Whoever connects here.
    Vpcd { port: Port, listener: TcpListener, address: SocketAddr },
    /// Whatever is in the real reader.
    Real(Real),
}

/// The card of a request, and its keeper; `index` is its place among the cards. With `spare`, so many tries of its secrets are left in any case.
pub(crate) fn open(request: &GuestRequest, index: usize, spare: Option<u8>, recorder: Recorder) -> Result<ReadyCard, Failure> {
    let usb = request.usb(u32::try_from(index).unwrap_or_default());
    let (mut reader_name, pin_pad) = (request.reader_name().to_owned(), request.has_pin_pad());
    let hear = |recorder: &Recorder, name: &str| {
        let (recorder, name) = (recorder.clone(), name.to_owned());
        Box::new(move |what: &str| {
            recorder.event(what, &[]);
            eprintln!("cardlab: {name}: {what}");
        })
    };
    let spared = |icc: Box<dyn Icc>, name: &str| -> Box<dyn Icc> {
        match spare {
            None => icc,
            Some(least) => Box::new(Spare::new(icc, least, hear(&recorder, name))),
        }
    };
    match request.source() {
        Source::Vpcd { host, port } => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let listener = TcpListener::bind((host, *port)).with_context(|| format!("cannot listen at {host}:{port}"))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            if !address.ip().is_loopback() {
                eprintln!(
                    "cardlab: warning: {address}: this protocol knows no password; whoever reaches the port can be the card, and gets the PINs"
                );
            }
            let port = Port::new(request.patience());
            let icc = spared(port.icc(), &reader_name);
            let card = port.card(&format!("vpcd {address}"), icc, recorder);
            Ok(ReadyCard { reader_name, pin_pad, usb, card, keeper: Some(Keeper::Vpcd { port, listener, address }) })
        }
        Source::Pcsc { reader } => {
            let socket = default_socket();
            let found = real::find(&socket, reader).or_exit(Exit::NOT_THERE)?;
            if !request.is_named() {
                // As that of the real reader: the numbers at its end are added here.
                reader_name = found.rsplitn(3, ' ').last().unwrap_or(&found).to_owned();
            }
            let real = Real::open(socket, found.clone(), request.patience())?;
            let icc = spared(real.icc(), &reader_name);
            let card = real.card(&format!("pcsc {found}"), icc, recorder);
            Ok(ReadyCard { reader_name, pin_pad, usb, card, keeper: Some(Keeper::Real(real)) })
        }
        Source::Replay { file, order, of } => {
            let bytes = whole::read(file, whole::RECORDING).with_context(|| file.display().to_string())?;
            let records = trace::read(&bytes).map_err(|why| anyhow!("{}: {why}", file.display()))?;
            let hear = hear(&recorder, &reader_name);
            let replay = Replay::new(&records, of.as_deref(), *order, hear).with_context(|| file.display().to_string())?;
            let (name, presence) = (format!("replay {}", file.display()), Presence::always());
            let card = VirtualCard::guest(&name, Box::new(replay), presence, Button::default(), recorder);
            Ok(ReadyCard { reader_name, pin_pad, usb, card, keeper: None })
        }
    }
}

impl Keeper {
    /// Where a guest connects.
    pub(crate) const fn port(&self) -> Option<SocketAddr> {
        match self {
            Self::Vpcd { address, .. } => Some(*address),
            Self::Real(_) => None,
        }
    }

    /// Goes to work for the card in this reader.
    pub(crate) fn start(self, rack: &Rack, place: Place) -> Result<(), Failure> {
        let (rack, card, name) = (rack.clone(), rack.card(place), rack.name(place));
        match self {
            Self::Vpcd { port, listener, .. } => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let told = move |event| match event {
                    // Who comes and goes is seen in the reader.
                    Event::Came(_) | Event::Went(_, End::Closed) => {}
                    Event::Went(peer, end) => eprintln!("cardlab: {name}: the card at {peer} is sent away: {end}"),
                };
                tokio::spawn(port.keep(listener, rack, card, told));
            }
            Self::Real(real) => {
                let told = move |event| match event {
                    real::Event::Came | real::Event::Went(None) => {}
                    real::Event::Went(Some(error)) => eprintln!("cardlab: {name}: the card is gone: {error}"),
                    real::Event::Held(error) => eprintln!("cardlab: {name}: there is a card, but it cannot be had: {error}"),
                };
                tokio::spawn(real.keep(rack, card, told));
            }
        }
        Ok(())
    }
}
