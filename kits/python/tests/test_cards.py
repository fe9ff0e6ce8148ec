"""The fixtures, with pyscard as the program that uses the cards."""

import contextlib
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from smartcard.Exceptions import CardConnectionException, NoCardException
from smartcard.scard import SCardEstablishContext, SCARD_SCOPE_USER
from smartcard.System import readers as pcsc_readers

from cardlab import CardlabError, Readers

pytest_plugins = ["pytester"]

SELECT = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08]


def verify(pin):
    data = [ord(c) for c in pin] + [0xFF] * (8 - len(pin))
    return [0x00, 0x20, 0x00, 0x80, 0x08, *data]


def connect():
    (reader,) = pcsc_readers()
    connection = reader.createConnection()
    connection.connect()
    assert connection.transmit(SELECT)[1:] == (0x90, 0x00)
    return connection


@pytest.mark.cardlab("nist-piv")
def test_lock_pull_and_put_back(cardlab_card):
    connection = connect()
    for left in (2, 1, 0):
        assert connection.transmit(verify("999999"))[1:] == (0x63, 0xC0 + left)
    assert cardlab_card.pin_tries == 0
    cardlab_card.remove()
    with pytest.raises(CardConnectionException):
        connection.transmit(SELECT)
    with pytest.raises(NoCardException):
        connect()
    cardlab_card.insert()
    # Still blocked: the right PIN is not even compared.
    assert connect().transmit(verify("123456"))[1:] == (0x69, 0x83)
    cardlab_card.undo(2)
    assert cardlab_card.pin_tries == 0, "SELECT and the refused VERIFY changed nothing"
    cardlab_card.state("fresh")
    assert connect().transmit(verify("123456"))[1:] == (0x90, 0x00)


def test_each_test_has_readers_of_its_own(cardlab_readers):
    piv, gids = cardlab_readers("nist-piv,name=One", "gids,name=Two")
    assert [str(reader) for reader in pcsc_readers()] == [piv.reader, gids.reader] == ["One 00 00", "Two 01 00"]
    piv.unplug()
    assert [str(reader) for reader in pcsc_readers()] == ["Two 01 00"]
    with Readers("yubikey-5.4,name=Three") as others, others.visible():
        assert [str(reader) for reader in pcsc_readers()] == ["Three 00 00"]
    assert [str(reader) for reader in pcsc_readers()] == ["Two 01 00"]
    piv.plug()
    assert not piv.is_in


@pytest.mark.cardlab("nist-piv,9a=new:p256")
def test_keys_certificates_and_programs(cardlab_card):
    listed = subprocess.run(["opensc-tool", "-l"], capture_output=True, text=True, check=True)
    assert "Yes" in listed.stdout
    objects = ["pkcs11-tool", "--module", "opensc-pkcs11.so", "-O", "--type", "cert"]
    assert "Certificate Object" in subprocess.run(objects, capture_output=True, text=True, check=True).stdout
    assert any(record.get("name", "").startswith("SELECT") for record in cardlab_card.log("SELECT"))


@pytest.mark.cardlab("gids")
def test_faults_snapshots_and_waiting(cardlab_card):
    before = cardlab_card.snapshot()
    cardlab_card.set_tries("pin", 1)
    assert cardlab_card.pin_tries == 1
    cardlab_card.restore(before)
    assert cardlab_card.pin_tries == 3
    cardlab_card.fault("remove-before,nth=3")
    assert cardlab_card.show()["card"]["faults"] == ["remove-before,nth=3"]
    cardlab_card.clear_faults()
    timer = threading.Thread(target=cardlab_card.remove)
    timer.start()
    cardlab_card.wait("out")
    timer.join()
    with pytest.raises(CardlabError, match="it did not happen"):
        cardlab_card.wait("in", seconds=0.05)
    with pytest.raises(CardlabError, match="no fault named 'fire'"):
        cardlab_card.fault("fire")


def test_mistakes_are_said():
    with pytest.raises(CardlabError, match="no profile named 'sim'"):
        Readers("sim")
    with Readers("gids") as (card,):
        pass
    with pytest.raises(CardlabError, match="the readers do not answer"):
        card.insert()
    assert SCardEstablishContext(SCARD_SCOPE_USER)[0] != 0, "no reader of another test is left"


@pytest.mark.cardlab("gids")
def test_what_is_locked_is_said(cardlab_card):
    cardlab_card.lock()
    cardlab_card.lock("admin")
    assert (cardlab_card.pin_tries, cardlab_card.admin_tries) == (0, 0)
    with pytest.raises(CardlabError, match="this card counts no tries of its PUK"):
        cardlab_card.puk_tries
    with pytest.raises(CardlabError, match="no state named 'door-blocked'"):
        cardlab_card.lock("door")


def test_a_failure_has_what_came_in(pytester):
    pytester.makepyfile(
        """
        import pytest
        from smartcard.System import readers

        @pytest.mark.cardlab("nist-piv")
        def test_wrong(cardlab_card):
            connection = readers()[0].createConnection()
            connection.connect()
            connection.transmit([0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08])
            assert connection.transmit([0x00, 0x20, 0x00, 0x80, 0x08, *b"999999", 255, 255])[1] == 0x90

        def test_without_cards():
            assert False
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=2)
    sections = [line for line in result.outlines if "What came in at the cards" in line]
    assert len(sections) == 1
    result.stdout.fnmatch_lines(["*VERIFY, PIN", "*63 C2 * tries left: 2"])
    assert "39 39 39" not in result.stdout.str()


def test_readers_go_with_the_process_that_made_them():
    script = "from cardlab import Readers; readers = Readers(); print(readers.control, flush=True); input()"
    maker = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    path = Path(maker.stdout.readline().strip())
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(path))
        maker.kill()
        maker.communicate()
        with contextlib.suppress(ConnectionResetError):
            assert control.recv(1) == b"", "closed by the end of the readers"
    assert not path.parent.exists()
