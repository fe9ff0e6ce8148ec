//! What stands round the commands: variables, files and exit codes, each with the commands that know it.

/// Something with a name that commands know.
pub(super) struct Known {
    /// As it is written.
    pub(super) name: &'static str,
    /// The beginnings of the commands that know it, such as `card` for all of `cardlab card`; none is all of them.
    pub(super) commands: &'static [&'static str],
    /// What it does, in a sentence.
    pub(super) what: &'static str,
}

impl Known {
    /// Whether the command of these words (without `cardlab`) knows it.
    pub(super) fn is_for(&self, command: &str) -> bool {
        let begins = |beginning: &&str| command == *beginning || command.starts_with(&format!("{beginning} "));
        self.commands.is_empty() || command.is_empty() || self.commands.iter().any(begins)
    }
}

/// Commands that make readers.
const MAKE: &[&str] = &["exec", "up", "lab"];

/// Environment variables.
pub(super) const VARIABLES: &[Known] = &[
    Known {
        name: "PCSCLITE_CSOCK_NAME",
        commands: &["card", "unlock", "agent", "lockscreen", "conform", "scenario", "trace", "doctor", "serve", "exec", "up"],
        what: "the PC/SC socket, without it /run/pcscd/pcscd.comm. Read by what looks at cards, as libpcsclite reads it in every \
               program; set by `exec` for its command, and told by `up` in its ready line",
    },
    Known {
        name: "CARDLAB_CONTROL",
        commands: &["card", "trace", "exec"],
        what: "the control socket, without it the PC/SC socket's path and `.control`; set by `exec` for its command",
    },
    Known {
        name: "CARDLAB_VPCD",
        commands: &["exec"],
        what: "set by `exec` for its command: where cards of `vpcd:PORT` connect, as ADDRESS:PORT with commas between several",
    },
    Known {
        name: "CARDLAB_PASSPHRASE",
        commands: &["card snapshot", "card restore", "exec", "up"],
        what: "what seals a snapshot (`card snapshot --secrets sealed`), and opens it (`card restore`, `--card @FILE`)",
    },
    Known {
        name: "CARDLAB_MASTER_KEY",
        commands: &["serve", "lab"],
        what: "the management server's master key, hexadecimal; it goes before the file",
    },
    Known {
        name: "CARDLAB_ADMIN_PASSWORD",
        commands: &["serve"],
        what: "the password of the administrator that an empty database gets; without it one is made and printed once",
    },
    Known {
        name: "XDG_RUNTIME_DIR",
        commands: MAKE,
        what: "where private directories with sockets are made; without it in the directory for temporary files",
    },
    Known {
        name: "XDG_STATE_HOME",
        commands: &["unlock", "agent", "lockscreen", "lab"],
        what: "where notes of codes and reports that wait for the server are kept, in `cardlab`; without it ~/.local/state",
    },
    Known {
        name: "XDG_CACHE_HOME",
        commands: &["exec"],
        what: "set by `exec` for its command to an empty directory, unless `--keep-cache`: OpenSC keeps card contents there",
    },
    Known {
        name: "LISTEN_FDS, NOTIFY_SOCKET",
        commands: &["up"],
        what: "a socket that systemd passes is served as it is, and systemd is told when the readers are up",
    },
    Known { name: "NO_COLOR, TERM", commands: &["unlock", "agent"], what: "no colours where NO_COLOR is set or TERM is dumb" },
];

/// Files and directories.
pub(super) const FILES: &[Known] = &[
    Known {
        name: "$XDG_RUNTIME_DIR/cardlab-*",
        commands: MAKE,
        what: "the private directory of a run, with its sockets and the command's cache (mode 0700); it goes with the run, and \
               what a killed one left is swept by the next",
    },
    Known {
        name: "PATH.control",
        commands: &["exec", "up", "lab", "card"],
        what: "the control socket beside the PC/SC socket PATH (mode 0600)",
    },
    Known {
        name: "DIR/cards.redb",
        commands: &["exec", "up", "card status", "card lock"],
        what: "the memory of the cards that `--state DIR` keeps, keys and PINs in it (mode 0600)",
    },
    Known {
        name: "DIR/cards.redb, DIR/cms.db, DIR/master.key",
        commands: &["lab"],
        what: "cards, database and master key that `lab --state DIR` keeps",
    },
    Known {
        name: "cardlab-cms.db, cardlab-cms.key",
        commands: &["serve"],
        what: "database and master key in the working directory, unless `--db` and `--master-file` name others",
    },
    Known {
        name: "$XDG_STATE_HOME/cardlab",
        commands: &["unlock", "agent", "lockscreen", "lab"],
        what: "notes of codes that wait for an operator, and reports that wait for the server",
    },
    Known {
        name: "/run/pcscd/pcscd.comm",
        commands: &["up", "card", "doctor"],
        what: "where pcscd listens, and `up --system` in its stead",
    },
    Known {
        name: ".cardlab-*.new",
        commands: &["exec", "up", "card", "trace", "conform", "scenario", "serve", "manual"],
        what: "a file that is being written, beside the one whose name it gets when it is whole: a full disk leaves what was there. What a \
               killed command left may be removed. To `/dev/stdout`, `/dev/null` or a shell's `>(..)` it is written as it is; a named pipe \
               is refused",
    },
    Known { name: "/etc/default/cardlab", commands: &["up"], what: "CARDLAB_OPTIONS of the systemd service: which cards it has" },
];

/// Exit codes.
pub(super) const EXITS: &[Known] = &[
    Known { name: "0", commands: &[], what: "what was asked for is so" },
    Known {
        name: "1",
        commands: &[],
        what: "it is not: the card refused, a test failed, a claim does not hold, something is in the way",
    },
    Known { name: "2", commands: &[], what: "wrong use: an option, a setting, a file that cannot be read" },
    Known { name: "3", commands: &[], what: "no such reader, card, server or program" },
    Known {
        name: "126, 127, 128+N",
        commands: &["exec"],
        what: "the command cannot be run, is not found, was ended by signal N; else its own",
    },
];
