"""Read models: how far they are, and anew from all events."""

import click

from domain.counted import counted
from entrypoints.bootstrap import Backend, rebuildable_read_models
from entrypoints.commands.frame import as_json, show, show_progress, with_database
from entrypoints.interpreter import tune_interpreter


@click.group()
def projections() -> None:
    """Read models."""


@projections.command("status")
@as_json
@with_database
def projections_status(backend: Backend, json_wanted: bool) -> None:
    """Show how far each read model is behind the newest event, and how many events it set aside."""
    states = backend.operations.read_models()
    show(
        {"items": states},
        json_wanted=json_wanted,
        lines=[
            f"{state.name:24} position {state.position:>12,}  behind {state.lag_events:>10,} ({state.lag_s:,.0f} s)"
            f"  poison {state.poison_events:>4}  updated {state.updated_at:%Y-%m-%d %H:%M:%S}Z"
            for state in states
        ],
    )


@projections.command("rebuild")
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice(rebuildable_read_models()))
@with_database
def projections_rebuild(backend: Backend, names: tuple[str, ...]) -> None:
    """Fold all events anew beside the tables that serve, then swap; all read models if none is named."""
    tune_interpreter()
    for name in names or rebuildable_read_models():

        def progress(position: int, last: int, name: str = name) -> None:
            share = 100 * position / last if last else 100
            show_progress(f"{name}: {position:,} of {last:,} ({share:.0f} %)")

        folded = backend.rebuild(name, progress)
        click.echo(f"{name}: rebuilt from {counted(folded, 'event')}")
