"""Kill everything in turn under load and compare with an oracle: ``python -m tests.crash``; exit 1 means a fault."""

import itertools
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.crash.trial import Trial
from tests.support.running_service import POSTGRES, PROGRAMS, REDIS, RunningService

KINDS = (*PROGRAMS, POSTGRES, REDIS)


@click.command()
@click.option("--kills", type=click.IntRange(0), default=20, show_default=True, help="kill -9, of each kind in turn.")
@click.option("--emails", type=click.IntRange(30), default=1_000, show_default=True, help="About which is reported.")
@click.option("--seed", type=int, default=558, show_default=True, help="Of the story that is told.")
@click.option("--inject-loss", is_flag=True, help="Lose one acknowledged report deliberately: must be noticed.")
@click.option("--inject-duplicate", is_flag=True, help="Count one report twice deliberately: must be noticed.")
def main(*, kills: int, emails: int, seed: int, inject_loss: bool, inject_duplicate: bool) -> None:
    """Say what was acknowledged, and whether all of it is shown exactly once."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mailpulse-crash-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # the embedded PostgreSQL runs as another account
        with RunningService(directory / "var") as service, Trial(service, emails=emails, seed=seed) as trial:
            trial.under_load()
            for number, kind in enumerate(itertools.islice(itertools.cycle(KINDS), kills), 1):
                trial.kill(kind)
                trial.go_on_for()
                click.echo(f"kill {number:3} of {kills}: {kind:9} {_so_far(trial)}", err=True)
                if number == kills // 2:
                    trial.register_the_others()
            if inject_loss:
                trial.inject_loss()
            trial.tell_the_rest()
            if inject_duplicate:
                trial.inject_duplicate()
            faults = trial.faults()
            click.echo(f"{kills} kills in {time.monotonic() - started:.0f} s, {_so_far(trial)}")
    for fault in faults:
        click.echo(f"WRONG: {fault}")
    click.echo("WRONG" if faults else "nothing acknowledged was lost, nothing was counted twice")
    sys.exit(1 if faults else 0)


def _so_far(trial: Trial) -> str:
    reports = trial.providers.acknowledged
    news = len({report.event_id for report in reports})
    answers = ", ".join(f"{count} × {status or 'none'}" for status, count in sorted(trial.providers.answers.items()))
    return f"acknowledged {len(reports):,} reports, {news:,} different; answers {answers}"


if __name__ == "__main__":
    main()
