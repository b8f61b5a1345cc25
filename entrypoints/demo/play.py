"""The demo from beginning to end: six weeks in seconds, then live until somebody stops it."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from entrypoints.demo.connection import Connection, DemoError, PlayedHistory, read_history, write_history
from entrypoints.demo.examples import commands, most_telling_email
from entrypoints.demo.history import play_history
from entrypoints.demo.live import play_live
from entrypoints.demo.scoreboard import Scoreboard
from entrypoints.demo.stage import Stage
from entrypoints.demo.story import Story, tell_history

READY_WITHIN_S: Final = 60.0
_ASK_EVERY_S: Final = 0.1


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How the demo is played.

    Attributes:
        history_emails: How many emails the past six weeks have.
        seed: Decides the story.
        live: Whether it goes on after the history, until it is stopped.
    """

    history_emails: int = 3_000
    seed: int = 558
    live: bool = True


def play(connection: Connection, options: Options, scoreboard: Scoreboard, stopped: threading.Event) -> list[str]:
    """Play the demo; what was played to this organisation before is not played again.

    Args:
        connection: To a service that set-up has prepared.
        options: What to play.
        scoreboard: Where to show it.
        stopped: Set from outside to end it.

    Returns:
        Where the service's numbers differ from what was reported; nothing if they are exact.

    Raises:
        DemoError: The service is not there, or refuses what it should take.
    """
    stage = Stage(connection, options.seed, scoreboard, stopped)
    try:
        return _play(stage, connection, options)
    finally:
        stage.service.close()


def _play(stage: Stage, connection: Connection, options: Options) -> list[str]:
    _await_service(stage, connection)
    played = _told_or_new(connection, options)
    story = tell_history(seed=played.seed, emails=played.emails, now=datetime.fromisoformat(played.now))
    differences: list[str] = []
    if played.complete:
        stage.scoreboard.say("Demo: the six weeks were played before; it goes on from there")
    else:
        differences = play_history(stage, story)
        if not stage.stopped.is_set():
            write_history(Path(connection.history_file), msgspec.structs.replace(played, complete=True))
    _print_examples(stage, connection, story)
    if options.live and not stage.stopped.is_set():
        play_live(stage, story, seed=options.seed)
    return differences


def _told_or_new(connection: Connection, options: Options) -> PlayedHistory:
    """Give the story that this organisation is being told, or one that ends now."""
    path = Path(connection.history_file)
    asked = PlayedHistory(
        organization_id=connection.organization_id,
        seed=options.seed,
        emails=options.history_emails,
        now=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=False,
    )
    told = read_history(path)
    if told and (told.organization_id, told.seed, told.emails) == (asked.organization_id, asked.seed, asked.emails):
        return told
    write_history(path, asked)
    return asked


def _print_examples(stage: Stage, connection: Connection, story: Story) -> None:
    email = most_telling_email(story)
    for email_id in stage.register([email]):
        lines = ["", f"Look at it (this link signs you in once): {stage.service.sign_in_link()}", "", "Try these:"]
        for what, command in commands(connection, email, email_id, datetime.now(UTC)):
            lines += [f"# {what}", command]
        lines += ["", f"Everything else that can be asked: {connection.base_url}/schema (OpenAPI)"]
        stage.scoreboard.say("\n".join([*lines, ""]))


def _await_service(stage: Stage, connection: Connection) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not stage.stopped.is_set() and not stage.service.is_ready():
        if time.monotonic() > deadline:
            raise DemoError(f"Mailpulse is not ready at {connection.base_url} after {READY_WITHIN_S:g} s")
        stage.stopped.wait(_ASK_EVERY_S)
