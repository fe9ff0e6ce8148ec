"""The fixtures, with pyscard as the program that uses the cards."""

import subprocess
import threading

import pytest
from smartcard.Exceptions import CardConnectionException, NoCardException
from smartcard.scard import SCardEstablishContext, SCARD_SCOPE_USER
from smartcard.System import readers as pcsc_readers

from cardlab import CardlabError, Readers

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
    cardlab_card.state(pin_left=1)
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
    assert SCardEstablishContext(SCARD_SCOPE_USER)[0] != 0, "no reader of another test is left"
