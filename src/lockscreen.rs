//! `cardlab lockscreen`: the lock screen for a card in any reader.

use crate::choose::ReaderChoice;
use crate::exit::{Exit, Failure};
use crate::unlock::{OnlineOptions, state};
use crate::web;
use anyhow::anyhow;
use cardlab_client::unlock::desk::{Desk, Setup};
use cardlab_client::unlock::session::{Begin, First, Place, Rules};
use cardlab_lockscreen::page;
use clap::Args;
use std::net::SocketAddr;

#[derive(Args)]
pub(crate) struct Lockscreen {
    #[command(flatten)]
    choice: ReaderChoice,

    #[command(flatten)]
    online: OnlineOptions,

    /// Where to listen, on this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8321")]
    listen: SocketAddr,

    /// Shown beside the challenge: whom to call
    #[arg(long, value_name = "TEXT")]
    offline_text: Option<String>,

    /// As inside a Remote Desktop connection, where a lock screen does not unlock
    #[arg(long)]
    remote_desktop: bool,

    /// As a window in a session, which unlocks in Remote Desktop too
    #[arg(long)]
    in_session: bool,
}

impl Lockscreen {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if !self.listen.ip().is_loopback() {
            return Err(anyhow!("--listen {}: a lock screen is for its own machine: 127.0.0.1 or [::1]", self.listen).into());
        }
        let service = self.online.service()?;
        let text = match self.offline_text {
            Some(text) => Some(text),
            None => self.online.settings()?.offline_text,
        };
        let place = match (self.in_session, self.remote_desktop) {
            (true, _) => Place::InSession,
            (false, true) => Place::RemoteDesktop,
            (false, false) => Place::LockScreen,
        };
        let desk = Desk::start(Setup {
            socket: self.choice.service.socket(),
            reader: self.choice.reader.clone(),
            rules: Rules {
                place,
                begin: Begin::Code,
                server: service.is_some(),
                workstation: web::workstation(),
                text: text.unwrap_or_default(),
                keep: false,
                first: First::Any,
            },
            service,
            state: state(),
            look_every: None,
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = web::bind("--listen", self.listen)?;
            // Whoever reads that it is up may end it at once.
            let stop = web::stopped()?;
            println!("ready http://{}", listener.local_addr()?);
            #[cfg(unix)]
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
            web::serve(listener, None, page::router(desk, place)?, stop).await
        })?;
        Ok(Exit::FINE)
    }
}
