"""Plays six weeks in seconds."""

import time
from collections.abc import Iterator
from random import Random
from typing import Final

from domain.counted import counted
from entrypoints.demo.expected import Expected
from entrypoints.demo.service import ServiceUnavailableError
from entrypoints.demo.stage import SUMMED, Stage
from entrypoints.demo.story import Story

EXACT_WITHIN_S: Final = 60.0
_ASK_EVERY_S: Final = 0.1
_LATE: Final = 0.02
"""Share of the emails whose reports come before their registration."""


def play_history(stage: Stage, story: Story) -> list[str]:
    """Register the emails, report what happened, and wait until the answers are those that the facts add up to.

    Returns:
        How the answers still differ after a minute; nothing if they are exact, or if the demo was stopped.
    """
    started = time.monotonic()
    late = Random(story.now.timestamp()).sample(story.emails, round(len(story.emails) * _LATE))
    late_ids = {email.message_id for email in late}
    posts = stage.provider.report([*story.facts, *story.strangers]) + stage.provider.test_posts()
    stage.scoreboard.say(
        f"Demo: {counted(len(story.emails), 'email')} to {counted(len(story.team.candidates), 'candidate')}"
        f" in six weeks; {counted(sum(post.reports for post in posts), 'report comes', 'reports come')} in"
        f" {counted(len(posts), 'signed webhook')}"
    )
    stage.register([email for email in story.emails if email.message_id not in late_ids])
    stage.posting.send_all(posts)
    stage.register(late)
    posted_s = time.monotonic() - started
    differences = _await_exact_answers(stage, story)
    if stage.stopped.is_set():
        return []
    exact_s = time.monotonic() - started
    outcome = f"every number exact after {exact_s:.1f} s" if not differences else f"NOT exact: {differences[0]}"
    stage.scoreboard.say(f"{stage.counts()}\nPlayed in {posted_s:.1f} s; {outcome}")
    return differences


def _await_exact_answers(stage: Stage, story: Story) -> list[str]:
    expected = Expected(story.emails, story.facts)
    deadline = time.monotonic() + EXACT_WITHIN_S
    differences = ["Mailpulse did not answer"]
    while not stage.stopped.is_set() and time.monotonic() < deadline:
        try:
            differences = list(_differences(stage, story, expected))
        except ServiceUnavailableError as error:
            differences = [str(error)]
        if not differences:
            break
        stage.scoreboard.show(stage.counts())
        stage.stopped.wait(_ASK_EVERY_S)
    return differences


def _differences(stage: Stage, story: Story, expected: Expected) -> Iterator[str]:
    for campaign, answer in zip(story.team.campaigns, stage.metrics(story.team.campaigns), strict=True):
        wanted = expected.campaign(campaign.id)
        for name in SUMMED:
            if answer.get(name, 0) != wanted[name]:
                yield f"campaign {campaign.id} has {answer.get(name, 0)} {name}, expected {wanted[name]}"
