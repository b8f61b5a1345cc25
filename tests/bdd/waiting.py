"""Waiting for what other processes do: ask until it is so, or say what the last answer was."""

import time

PATIENCE_S = 60.0
_PAUSE_S = 0.01


def eventually(what, ask, holds, within_s=PATIENCE_S):
    """Give the first answer that holds; else fail and say what was waited for and answered last."""
    deadline = time.monotonic() + within_s
    while not holds(answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s:g} s; the last answer was {answer!r}")
        time.sleep(_PAUSE_S)
    return answer
