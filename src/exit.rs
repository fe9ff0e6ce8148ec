//! Exit codes, the same for every subcommand; `exec` hands on its command's.

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// All is well.
    pub(crate) const FINE: Self = Self(0);
    /// What was asked for did not come about: the card refused.
    pub(crate) const FAILED: Self = Self(1);
    /// Wrong use: options, files, settings.
    pub(crate) const USAGE: Self = Self(2);
    /// No such reader, card or server.
    pub(crate) const NOT_THERE: Self = Self(3);
    #[cfg(unix)]
    /// `exec`: the command was found but cannot be run.
    pub(crate) const NOT_EXECUTABLE: Self = Self(126);
    #[cfg(unix)]
    /// `exec`: the command was not found.
    pub(crate) const NOT_FOUND: Self = Self(127);

    #[cfg(unix)]
    /// `exec`: the command was ended by signal `n`.
    pub(crate) const fn signal(n: i32) -> Self {
        Self((128 + n) as u8)
    }
}

/// An error for people with its exit code.
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// What happened, then what led to it; words that stand there already are not said again.
    pub(crate) fn sentence(&self) -> String {
        self.error.chain().fold(String::new(), |said, cause| match cause.to_string() {
            cause if said.is_empty() => cause,
            cause if said.contains(&cause) => said,
            cause => format!("{said}: {cause}"),
        })
    }
}

/// Gives an error its exit code.
pub(crate) trait OrExit<T> {
    /// The value, or the failure that ends the process with `exit`.
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into() })
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::USAGE, error: error.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_pcsclite::client::Error;
    use std::io;

    /// Some errors have another's words in their own sentence.
    #[test]
    fn nothing_is_said_twice() {
        let closed = Error::from(io::Error::other("it ended"));
        let failure = Failure::from(anyhow::Error::from(closed).context("--card pcsc:x"));
        assert_eq!(failure.sentence(), "--card pcsc:x: the PC/SC service closed the connection: it ended");
        let failure = Failure::from(anyhow::anyhow!("it ended").context("file"));
        assert_eq!(failure.sentence(), "file: it ended");
    }
}
