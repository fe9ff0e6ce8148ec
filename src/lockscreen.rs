//! `cardlab lockscreen`: the lock screen for a card in any reader.

use crate::choose::ReaderChoice;
use crate::exit::{Exit, Failure};
use crate::site::{self, Tls};
use crate::unlock::OnlineOptions;
use anyhow::{Context as _, anyhow};
use cardlab_lockscreen::{Settings, desk::Desk, page};
use cardlab_pcsclite::client::default_socket;
use clap::Args;
use std::net::{SocketAddr, TcpListener};

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

    /// Let other programs use the card while a challenge waits; they may end it
    #[arg(long)]
    share: bool,
}

impl Lockscreen {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if !self.listen.ip().is_loopback() {
            return Err(anyhow!("--listen {}: a lock screen is for its own machine: 127.0.0.1 or [::1]", self.listen).into());
        }
        let desk = Desk::start(Settings {
            socket: self.choice.socket.clone().unwrap_or_else(default_socket),
            reader: self.choice.reader.clone(),
            service: self.online.service()?,
            workstation: site::workstation(),
            offline_text: self
                .offline_text
                .map_or_else(|| self.online.settings().map(|s| s.offline_text), |text| Ok(Some(text)))?
                .unwrap_or_default(),
            remote_desktop: self.remote_desktop,
            in_session: self.in_session,
            share: self.share,
            look_every: None,
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).with_context(|| format!("--listen {}", self.listen))?;
            // Whoever reads that it is up may end it at once.
            let stop = site::stopped()?;
            println!("ready http://{}", listener.local_addr()?);
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
            site::serve(listener, Tls::None, page::router(desk)?, stop).await
        })?;
        Ok(Exit::FINE)
    }
}
