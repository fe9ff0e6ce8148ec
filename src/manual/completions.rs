//! Completions of shells: clap's, with the names of what comes with cardlab.

use cardlab_sim::{Profile, own};
use clap::Command;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

/// The completions of a shell. Where a profile is to be named they know its name, though more may stand there.
pub(super) fn of(shell: Shell, mut command: Command) -> String {
    // Arguments are made when a command is asked for.
    command.build();
    let kinds = own::kinds();
    let profiles: Vec<&'static str> = Profile::names().chain(kinds.iter().map(|kind| kind.name)).collect();
    let known = |command: Command, argument: &'static str| {
        command.mut_arg(argument, |argument| argument.value_parser(PossibleValuesParser::new(profiles.clone())))
    };
    let mut command = command
        .mut_subcommand("exec", |exec| known(exec, "cards"))
        .mut_subcommand("up", |up| known(up, "cards"))
        .mut_subcommand("profile", |profile| {
            profile.mut_subcommand("show", |show| known(show, "name")).mut_subcommand("settings", |of| known(of, "profile"))
        });
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "cardlab", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
