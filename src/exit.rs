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
