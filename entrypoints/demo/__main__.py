"""``python -m entrypoints.demo <demo.json>``: plays to the service that the file names, until SIGTERM or SIGINT."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from entrypoints.demo.connection import DemoError, read_connection
from entrypoints.demo.play import Options, play
from entrypoints.demo.scoreboard import Scoreboard
from entrypoints.process_lifetime import exit_when_parent_dies

MOST_HISTORY_EMAILS = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Play.

    Returns:
        The exit status: 1 if the service's numbers are not those that were reported, or the demo could not go on.
    """
    options = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    exit_when_parent_dies()
    chosen = Options(history_emails=options.history_emails, seed=options.seed, live=options.live)
    try:
        return 1 if play(read_connection(options.connection), chosen, Scoreboard(sys.stdout), stopped) else 0
    except (DemoError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr, flush=True)  # noqa: T201  for the person at the terminal
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m entrypoints.demo", description=__doc__, allow_abbrev=False)
    parser.add_argument("connection", type=Path, help="the file that `mailpulse up --demo` writes: demo.json")
    parser.add_argument("--history-emails", type=_number_of_emails, default=Options().history_emails, metavar="N")
    parser.add_argument("--seed", type=int, default=Options().seed, metavar="S")
    parser.add_argument("--live", action=argparse.BooleanOptionalAction, default=True)
    return parser


def _number_of_emails(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_HISTORY_EMAILS:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {MOST_HISTORY_EMAILS:,}")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
