//! `cardlab profile`: the kinds of cards there are.

use crate::exit::{Exit, Failure};
use cardlab_sim::profile::{Profile, SETTINGS};
use cardlab_vreader::pace::Pace;
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
    Settings,
}

impl ProfileCommand {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.what {
            What::List => {
                for name in Profile::names() {
                    println!("{name:<14}{}", Profile::builtin(name)?.description);
                }
            }
            What::Show { name } => print!("{}", Profile::text(&name)?),
            What::Settings => {
                println!("{:<22}the reader's name", "name");
                println!("{:<22}on or off: a keypad at the reader", "pin-pad");
                println!("{:<22}how long commands take, in milliseconds: any:10+sign:475, or a model:", "pace");
                for (name, times, source) in Pace::MODELS {
                    println!("{:<22}  {name:<12}{times:<20}{source}", "");
                }
                println!("{:<22}KEY.pem[:CERTIFICATE.pem], FILE.p12[:PASSWORD], or new:ALGORITHM", "9a 9c 9d 9e 82..95");
                println!("{:<22}file that gets the certificate of the CA that signs new: keys", "ca");
                for (key, value) in SETTINGS {
                    println!("{key:<22}{value}");
                }
            }
        }
        Ok(Exit::FINE)
    }
}
