"""Fixtures for pytest.

``cardlab_readers`` makes readers that this process and its children see until the test ends::

    def test_login(cardlab_readers):
        card, = cardlab_readers("yubikey-5.4,9a=new:p256")

``cardlab_card`` is one reader; its card is chosen by a marker::

    @pytest.mark.cardlab("gids,pin-tries=5")
    def test_lock(cardlab_card):
        cardlab_card.state("last-try")

The report of a test that fails has what came in at its cards.
"""

import contextlib

import pytest

from . import Readers

_MADE = pytest.StashKey()


def pytest_configure(config):
    config.addinivalue_line("markers", "cardlab(card): the card of the fixture cardlab_card, as 'gids,pin-tries=5'")


@pytest.fixture
def cardlab_readers(request):
    made = request.node.stash.setdefault(_MADE, [])
    with contextlib.ExitStack() as stack:

        def make(*cards, **settings):
            readers = stack.enter_context(Readers(*cards, **settings))
            made.append(readers)
            stack.enter_context(readers.visible())
            return readers

        yield make
        made.clear()


@pytest.fixture
def cardlab_card(request, cardlab_readers):
    marker = request.node.get_closest_marker("cardlab")
    (card,) = cardlab_readers(*(marker.args if marker else ()))
    return card


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for readers in item.stash.get(_MADE, ()):
            report.sections.append(("What came in at the cards", readers.trace()))
