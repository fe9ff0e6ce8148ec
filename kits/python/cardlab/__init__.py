"""Simulated smart cards for tests, driven from Python.

Needs the program ``cardlab`` on the path (or named by the variable ``CARDLAB``) and nothing else::

    with Readers("nist-piv", "gids") as readers:
        piv, gids = readers
        piv.remove()
        piv.insert()
        gids.state("pin-blocked")
        subprocess.run(["pkcs11-tool", "-L"], env=readers.environment())

Programs that are started with ``readers.environment()`` see these readers; inside this process they are seen
while ``with readers.visible():`` lasts, which must begin before anything else in the process has used PC/SC;
the fixtures of ``cardlab.plugin`` do so for a test.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Optional, Sequence
from urllib.parse import quote

SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
CONTROL_VARIABLE = "CARDLAB_CONTROL"

__all__ = ["Card", "CardlabError", "Readers"]

# What `cardlab exec` runs: it says where the readers are, and ends when nobody holds its standard input any more.
_UNTIL_CLOSED = ("sh", "-c", 'printf "%s\\n" "$PCSCLITE_CSOCK_NAME" "$CARDLAB_CONTROL" "$XDG_CACHE_HOME"; read _; exit 0')

# Secrets that a card counts, and what they are called.
_SECRETS = {"pin": "PIN", "puk": "PUK", "admin_key": "administrator key"}


class CardlabError(Exception):
    """What cardlab refused, in its words."""


def _program() -> str:
    program = os.environ.get("CARDLAB") or shutil.which("cardlab")
    if not program:
        raise CardlabError("there is no program 'cardlab' on the path; install it, or name it with the variable CARDLAB")
    return program


class _Stage:
    """The one path where this process looks for readers: libpcsclite reads its variable once a process, so
    the path stays and points to the readers of the moment."""

    _directory: Optional[tempfile.TemporaryDirectory] = None

    @classmethod
    def path(cls) -> str:
        if cls._directory is None:
            cls._directory = tempfile.TemporaryDirectory(prefix="cardlab-py-")
        return str(Path(cls._directory.name) / "s")

    @classmethod
    def show(cls, target: Optional[str]) -> Optional[str]:
        """Points to ``target``; gives what was pointed to before."""
        path = cls.path()
        before = os.readlink(path) if os.path.islink(path) else None
        if target is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        else:
            os.symlink(target, path + ".new")
            os.replace(path + ".new", path)
        return before


def _forget_context() -> None:
    """pyscard keeps one PC/SC context a process; it belongs to the readers of the moment."""
    module = sys.modules.get("smartcard.pcsc.PCSCContext")
    if module is not None:
        module.PCSCContext.instance = None


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("cardlab", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Card:
    """A reader with its card. The names of states and faults are those of ``cardlab card``."""

    def __init__(self, readers: "Readers", number: int) -> None:
        self._readers = readers
        self.number = number

    def _ask(self, method: str, what: str, body: Optional[dict] = None, timeout: float = 60.0):
        return self._readers._ask(method, f"/v1/readers/{self.number}{what}", body, timeout)

    def show(self) -> dict:
        """Where the card is, its counters, faults that wait."""
        return self._ask("GET", "")

    @property
    def reader(self) -> str:
        """The reader's name, as programs see it."""
        return self.show()["name"]

    @property
    def pin_tries(self) -> int:
        """Tries of the PIN that are left."""
        return self._tries("pin")

    @property
    def puk_tries(self) -> int:
        """Tries of the PUK that are left."""
        return self._tries("puk")

    @property
    def admin_tries(self) -> int:
        """Tries of the administrator key that are left."""
        return self._tries("admin_key")

    def _tries(self, what: str) -> int:
        card = self.show()["card"]
        if card is None:
            raise CardlabError("the card works, or waits for a touch: its tries are not told meanwhile")
        if card[what] is None:
            raise CardlabError(f"this card counts no tries of its {_SECRETS[what]}")
        return card[what]["left"]

    @property
    def is_in(self) -> bool:
        """Whether the card is in its reader."""
        return self.show()["card_is"] == "in"

    def insert(self) -> None:
        """Puts the card in."""
        self._ask("POST", "/insert")

    def remove(self) -> None:
        """Pulls the card out, also in the middle of a command."""
        self._ask("POST", "/remove")

    def unplug(self) -> None:
        """Unplugs the reader with its card in it."""
        self._ask("POST", "/unplug")

    def plug(self) -> None:
        """Plugs the reader in; the card lies beside it."""
        self._ask("POST", "/plug")

    def reset(self, cold: bool = False, usb: bool = False) -> None:
        """Resets the card, as another program does; with ``usb`` its reader, as the system does."""
        self._ask("POST", "/reset", {"cold": cold, "usb": usb})

    def lock(self, what: str = "pin") -> None:
        """Blocks the ``pin``, the ``puk`` or the ``admin`` key, as if all its tries had been spent."""
        self.state(f"{what}-blocked")

    def state(self, name: str) -> None:
        """Brings the card to a state: ``fresh``, ``last-try``, ``pin-blocked`` and others."""
        self._ask("PUT", "/state", {"state": name})

    def set_tries(self, what: str, left: int) -> None:
        """Leaves so many tries of the ``pin``, the ``puk`` or the ``admin`` key."""
        self._ask("PUT", "/state", {f"{what}_left": left})

    def fault(self, fault: str) -> None:
        """Arms a fault: ``fault("remove-after,ins=87")``."""
        self._ask("POST", "/faults", {"fault": fault})

    def clear_faults(self) -> None:
        """Disarms all faults."""
        self._ask("DELETE", "/faults")

    def touch(self) -> None:
        """Touches the card that waits for it."""
        self._ask("POST", "/touch")

    def set_touch(self, mode: str) -> None:
        """Says how the card is touched: ``auto``, ``never``, ``wait``, ``after=200ms``."""
        self._ask("PUT", "/touch", {"touch": mode})

    def pace(self, pace: str) -> None:
        """Says how long commands take: ``off``, ``yubikey-5``, or milliseconds: ``any:10+sign:475``."""
        self._ask("PUT", "/pace", {"pace": pace})

    def wait(self, what: str, seconds: float = 10.0) -> None:
        """Waits until the card is ``in``, ``out``, ``unplugged``, or waits for a ``touch``."""
        self._ask("GET", f"/wait?card={what}&limit={int(seconds * 1000)}", timeout=seconds + 10)

    def log(self, name: str = "") -> list:
        """What came in: records, PINs and keys masked. ``name`` is a part of a command's name."""
        return self._ask("GET", "/log" + (f"?name={quote(name)}" if name else ""))

    def undo(self, count: int = 1) -> None:
        """Takes the last commands back; the card is reset."""
        self._ask("POST", "/undo", {"count": count})

    def snapshot(self, secrets: str = "clear") -> str:
        """The card's whole state as text."""
        return self._ask("POST", "/snapshot", {"secrets": secrets})

    def restore(self, text: str) -> None:
        """Brings the card back to a snapshot."""
        self._ask("POST", "/restore", {"text": text})


class Readers(Sequence[Card]):
    """Readers of one's own, each with a card: ``Readers("yubikey-5.4,9a=new:p256", "gids,pin-tries=5")``.

    Keys: ``9a=new:p256`` makes a key with a certificate, ``9a=key.pem:certificate.pem`` takes them from files.
    They go with this process, however it ends. ``trace`` is a file that every exchange is written to, as
    ``cardlab exec --trace`` does.
    """

    def __init__(self, *cards: str, seed: Optional[int] = None, trace: Optional[os.PathLike] = None) -> None:
        cards = cards or ("nist-piv",)
        self._trace = None if trace is None else os.fspath(trace)
        arguments = [_program(), "exec", "--trace", self._trace or "-"]
        for card in cards:
            arguments += ["--card", card]
        if seed is not None:
            arguments += ["--seed", str(seed)]
        self._said = tempfile.TemporaryFile()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [*arguments, "--", *_UNTIL_CLOSED], stdin=pipe, stdout=pipe, stderr=self._said, text=True
        )
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline().rstrip("\n") for _ in range(3)]
        if not all(lines):
            self._process.communicate()
            said = self._words().strip()
            self._said.close()
            raise CardlabError(said or "cardlab did not start")
        self.socket, self.control, self._cache = lines
        self._cards = [Card(self, number) for number in range(len(cards))]

    def __getitem__(self, index):
        return self._cards[index]

    def __len__(self) -> int:
        return len(self._cards)

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Takes the readers away."""
        self._process.communicate()
        self._said.close()

    def trace(self) -> str:
        """What came in at all cards, as text; PINs and keys are masked. Of ``Readers(trace=FILE)``, the file's name."""
        return self._words() if self._trace is None else f"recorded in {self._trace}\n"

    def _words(self) -> str:
        size = os.fstat(self._said.fileno()).st_size
        return os.pread(self._said.fileno(), size, 0).decode(errors="replace")

    def variables(self) -> dict:
        """The environment variables by which programs find the readers."""
        return {SOCKET_VARIABLE: self.socket, CONTROL_VARIABLE: self.control, "XDG_CACHE_HOME": self._cache}

    def environment(self) -> dict:
        """An environment for a program that is to see the readers."""
        return {**os.environ, **self.variables()}

    @contextlib.contextmanager
    def visible(self) -> Iterator[None]:
        """This process itself sees the readers meanwhile, for instance with pyscard."""
        variables = {**self.variables(), SOCKET_VARIABLE: _Stage.path()}
        before = {name: os.environ.get(name) for name in variables}
        pointed = _Stage.show(self.socket)
        os.environ.update(variables)
        _forget_context()
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            _Stage.show(pointed)
            _forget_context()

    def _ask(self, method: str, path: str, body: Optional[dict], timeout: float):
        connection = _Connection(self.control, timeout)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, body=json.dumps(body or {}), headers=headers)
            response = connection.getresponse()
            text = response.read().decode()
        except OSError as error:
            raise CardlabError(f"the readers do not answer: {error}") from error
        finally:
            connection.close()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = text
        if response.status != 200:
            raise CardlabError(answer.get("message", text) if isinstance(answer, dict) else text)
        return answer
