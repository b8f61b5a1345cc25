"""Shows how the demo goes: one line that changes in a terminal, a line now and then elsewhere."""

import shutil
import time
from collections.abc import Mapping
from typing import Final, TextIO

from domain.counted import counted
from entrypoints.demo.posting import Tally

SECONDS_BETWEEN_LINES: Final = 5.0
_SHOWN: Final = ("delivered", "opened", "clicked", "replied", "bounced")
_CLEAR_LINE: Final = "\r\x1b[2K"


class Scoreboard:
    """Writes to a terminal or to a file.

    Args:
        out: Where to; a terminal's last line is written over.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._last_line_at = float("-inf")
        self._is_mid_line = False

    def say(self, text: str) -> None:
        """Write lines that stay."""
        self._out.write(f"{_CLEAR_LINE if self._is_mid_line else ''}{text}\n")
        self._out.flush()
        self._is_mid_line = False

    def show(self, line: str) -> None:
        """Replace the changing line; where nothing can be replaced, write it at most every five seconds."""
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns  # a line that wraps cannot be written over
            self._out.write(_CLEAR_LINE + line[: columns - 1])
            self._is_mid_line = True
        elif time.monotonic() - self._last_line_at >= SECONDS_BETWEEN_LINES:
            self._last_line_at = time.monotonic()
            self._out.write(line + "\n")
        self._out.flush()


def counts(tally: Tally, answered: Mapping[str, int], lag_s: float | None) -> str:
    """Put what was done, and what the service answers, into one line.

    Args:
        tally: What the providers did.
        answered: Sums that the API gave; empty before the first answer.
        lag_s: Seconds from the acknowledgement of a report until a query showed it; ``None`` if never measured.
    """
    shown = " ".join(f"{answered[name]:,} {name}" for name in _SHOWN if name in answered) or "no answer yet"
    lag = "" if lag_s is None else f" | visible after {lag_s:.2f} s"
    return (
        f"{tally.registered:,} sent | {shown}{lag} | {counted(tally.posted, 'report')}:"
        f" {tally.acknowledged:,} acknowledged {tally.repeated:,} repeated {tally.refused:,} refused"
    )
