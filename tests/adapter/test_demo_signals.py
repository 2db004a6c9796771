"""demo.signals: a signal whose KeyboardInterrupt is swallowed ends the demonstration all the same."""

from __future__ import annotations

import signal

import pytest

from asgiway.demo.signals import ending_signals


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_during_a_finaliser_is_not_lost() -> None:
    class Finalised:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    with ending_signals() as ending:
        ending.check()
        Finalised()  # the interpreter reports the KeyboardInterrupt, and goes on
        with pytest.raises(KeyboardInterrupt):
            ending.check()
        with pytest.raises(KeyboardInterrupt), ending.on_signal(lambda: None):
            pass


def test_with_an_action_nothing_is_raised() -> None:
    called: list[bool] = []
    with ending_signals() as ending, ending.on_signal(lambda: called.append(True)):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        ending.check()
    assert called == [True, True]


def test_while_it_is_held_a_signal_waits() -> None:
    done: list[str] = []

    def start() -> None:
        with ending_signals() as ending, ending.held():
            signal.raise_signal(signal.SIGINT)
            done.append("the block")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done == ["the block"]
