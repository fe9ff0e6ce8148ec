"""Fixtures for pytest.

``cardlab_readers`` makes readers that this process and its children see until the test ends::

    def test_login(cardlab_readers):
        card, = cardlab_readers("yubikey-5.4,9a=new:p256")

``cardlab_card`` is one reader; its card is chosen by a marker::

    @pytest.mark.cardlab("gids,pin-tries=5")
    def test_lock(cardlab_card):
        cardlab_card.state("last-try")
"""

import contextlib

import pytest

from . import Readers


def pytest_configure(config):
    config.addinivalue_line("markers", "cardlab(card): the card of the fixture cardlab_card, as 'gids,pin-tries=5'")


@pytest.fixture
def cardlab_readers():
    with contextlib.ExitStack() as stack:

        def make(*cards, **settings):
            readers = stack.enter_context(Readers(*cards, **settings))
            stack.enter_context(readers.visible())
            return readers

        yield make


@pytest.fixture
def cardlab_card(request, cardlab_readers):
    marker = request.node.get_closest_marker("cardlab")
    (card,) = cardlab_readers(*(marker.args if marker else ()))
    return card
