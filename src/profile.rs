//! `cardlab profile`: the kinds of cards there are.

use crate::exit::{Exit, Failure};
use cardlab_sim::{Profile, Setting, own};
use cardlab_vreader::Pace;
use cardlab_vreader::setup::settings;
use clap::{Args, Subcommand};

#[derive(Args)]
pub(crate) struct ProfileCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the profiles, one line each
    List,
    /// Show a profile: its values and quirks (TOML), each with the source it was read from
    Show {
        /// Name of the profile
        name: String,
    },
    /// List what can be set on top of a profile: --card PROFILE,KEY=VALUE
    Settings {
        /// Only what a card of this profile has
        profile: Option<String>,
    },
}

impl ProfileCommand {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.what {
            What::List => {
                for name in Profile::names().chain(own::kinds().iter().map(|kind| kind.name)) {
                    println!("{name:<14}{}", Profile::builtin(name)?.description);
                }
            }
            What::Show { name } => print!("{}", Profile::text(&name)?),
            What::Settings { profile: Some(name) } => {
                let profile = Profile::builtin(&name)?;
                settings::of(&profile).for_each(show);
            }
            What::Settings { profile: None } => settings::all().for_each(show),
        }
        Ok(Exit::FINE)
    }
}

/// A line of what it changes and for which cards, a line of its values.
fn show(setting: &Setting) {
    let names = setting.names().collect::<Vec<_>>().join(", ");
    println!("{names:<40}{} ({})", setting.changes, setting.cards.words());
    println!("{:<40}= {}", "", setting.values);
    if setting.name == "pace" {
        for (name, times, source) in Pace::MODELS {
            println!("{:<42}{name:<12}{times:<20}{source}", "");
        }
    }
}
