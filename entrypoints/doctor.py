"""Find out what is wrong with an installation, in words that say what to do."""

from collections.abc import Callable, Iterator
from shutil import disk_usage
from typing import Final

import msgspec

from domain.counted import counted
from domain.errors import MailpulseError
from domain.policies.outgoing_addresses import as_meant, risks_of
from entrypoints.bootstrap import Backend, rebuildable_read_models

OLDEST_DUE_S: Final = 60.0
OLDEST_OUTGOING_S: Final = 900.0
"""Longer than the longest pause after a failure."""
LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
MOST_LAG_EVENTS: Final = 10_000
MOST_LAG_S: Final = 60.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        subject: What.
        ok: Whether it works.
        warning: It works, and perhaps not as it was meant.
        text: How it is, and what to do if it is not well.
    """

    subject: str
    ok: bool
    warning: bool = False
    text: str


def examine(backend: Backend) -> list[Finding]:
    """Look at everything that an installation needs; never changes anything."""
    findings = [*_attempt("configuration", lambda: f"public address {backend.settings.public_url}")]
    findings += _look("outgoing networks", _outgoing_networks, backend)
    findings += _attempt("detection rules", backend.check_detection_rules)
    database = [*_attempt("database", backend.database_version)]
    findings += database
    findings += _attempt("redis", backend.redis_version)
    findings += _look("disk", _disk, backend)
    findings += _look("readers' reports", _readers_reports, backend)
    if all(finding.ok for finding in database):
        findings += _look("migrations", _migrations, backend)
    if all(finding.ok for finding in findings if finding.subject in {"database", "migrations"}):
        for subject, look in (
            ("secret keys", _secret_keys),
            ("inbox", _inbox),
            ("read models", _read_models),
            ("parked reports", _parked),
            ("outgoing webhooks", _outgoing_webhooks),
        ):
            findings += _look(subject, look, backend)
    return findings


def _attempt(subject: str, ask: Callable[[], str]) -> Iterator[Finding]:
    try:
        yield Finding(subject=subject, ok=True, text=ask())
    except Exception as error:  # noqa: BLE001 - whatever is wrong is the finding
        yield Finding(subject=subject, ok=False, text=_words(error))


def _look(subject: str, look: Callable[[Backend], Iterator[Finding]], backend: Backend) -> Iterator[Finding]:
    try:
        yield from look(backend)
    except Exception as error:  # noqa: BLE001 - whatever is wrong is the finding
        yield Finding(subject=subject, ok=False, text=_words(error))


def _words(error: Exception) -> str:
    words = str(error) if isinstance(error, MailpulseError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())


def _disk(backend: Backend) -> Iterator[Finding]:
    directory = backend.settings.data_dir
    existing = next(one for one in (directory, *directory.parents) if one.exists())
    free_bytes = disk_usage(existing).free
    text = f"{free_bytes / 1024**3:,.1f} GiB are free for {directory}"
    is_enough = free_bytes >= LEAST_FREE_BYTES
    if not is_enough:
        text += ": make room, or webhooks will be answered with 503 and readers' reports be lost"
    yield Finding(subject="disk", ok=is_enough, text=text)


def _readers_reports(backend: Backend) -> Iterator[Finding]:
    damaged = backend.damaged_spool_files()
    text = "nothing on this machine is damaged"
    if damaged:
        text = (
            f"{counted(len(damaged), 'file')} cannot be read, such as {damaged[0]}: put the secret key that sealed such"
            " files back into MAILPULSE_SECRET_KEYS and take .damaged off their names, or delete them"
        )
    yield Finding(subject="readers' reports", ok=not damaged, text=text)


def _migrations(backend: Backend) -> Iterator[Finding]:
    missing = backend.missing_migrations()
    text = f"missing: {', '.join(missing)}; run `mailpulse migrate`" if missing else "up to date"
    yield Finding(subject="migrations", ok=not missing, text=text)
    for name in backend.outdated_read_models():
        text = f"its tables are of another version; run `mailpulse projections rebuild {name}`"
        yield Finding(subject=f"read model {name}", ok=False, text=text)


def _secret_keys(backend: Backend) -> Iterator[Finding]:
    found = backend.secret_keys_in_use.look()
    for sealed in found:
        if sealed.unknown:
            text = (
                counted(sealed.unknown, f"of the {sealed.what} is", f"of the {sealed.what} are")
                + " sealed with a key that MAILPULSE_SECRET_KEYS no longer holds: add it again behind the newest one,"
                " then run `mailpulse secrets rewrap`"
            )
            yield Finding(subject="secret keys", ok=False, text=text)
    older = [f"{sealed.older:,} of the {sealed.what}" for sealed in found if sealed.older]
    lost = any(sealed.unknown for sealed in found)
    text = "everything else is sealed with the newest key" if lost else "everything is sealed with the newest key"
    if older:
        text = (
            f"not yet sealed with the newest key: {', '.join(older)}; run `mailpulse secrets rewrap` before you take an"
            " older key out of MAILPULSE_SECRET_KEYS"
        )
    yield Finding(subject="secret keys", ok=True, text=text)


def _inbox(backend: Backend) -> Iterator[Finding]:
    inbox = backend.operations.inbox()
    late = inbox.oldest_due_s > OLDEST_DUE_S
    text = f"{inbox.due:,} due, the oldest for {inbox.oldest_due_s:.0f} s; {inbox.postponed:,} postponed"
    yield Finding(subject="inbox", ok=not late, text=text + ("; is a worker running?" if late else ""))


def _read_models(backend: Backend) -> Iterator[Finding]:
    for state in backend.operations.read_models():
        if state.rebuild_of:
            yield _rebuild(state.rebuild_of, is_under_way=state.is_under_way, events_to_go=state.lag_events)
            continue
        problems = []
        if state.lag_events > MOST_LAG_EVENTS or state.lag_s > MOST_LAG_S:
            problems.append("is a projector running?")
        if state.poison_events:
            problems.append(
                f"{counted(state.poison_events, 'event was', 'events were')} set aside, ops.poison_events says which"
                f" and why: {_cure(state.name)}"
            )
        text = f"{counted(state.lag_events, 'event')} behind"
        if state.lag_events:
            text += f", the oldest for {state.lag_s:,.0f} s"
        yield Finding(subject=f"read model {state.name}", ok=not problems, text="; ".join([text, *problems]))


def _cure(name: str) -> str:
    if name in rebuildable_read_models():
        return f"once that is mended, run `mailpulse projections rebuild {name}`"
    told_to_nobody = "nobody will be told of them; once the other read models are mended, end the alarm"
    return f"{told_to_nobody}: DELETE FROM ops.poison_events WHERE read_model = '{name}'"  # noqa: S608 - words


def _rebuild(name: str, *, is_under_way: bool, events_to_go: int) -> Finding:
    if is_under_way:
        text = f"under way, {counted(events_to_go, 'event')} to go; the old tables serve meanwhile"
    else:
        text = (
            "ended before its time; the old tables serve, but erasures are answered with 202 until it is done: run"
            f" `mailpulse projections rebuild {name}`"
        )
    return Finding(subject=f"rebuild of {name}", ok=True, warning=not is_under_way, text=text)


def _parked(backend: Backend) -> Iterator[Finding]:
    counts = backend.operations.parked_counts()
    text = f"{counts['failed']:,} failed, {counts['orphaned']:,} orphaned"
    advice = "; see `mailpulse deliveries list --status failed`" if counts["failed"] else ""
    yield Finding(subject="parked reports", ok=True, text=text + advice)


def _outgoing_networks(backend: Backend) -> Iterator[Finding]:
    subject, networks = "outgoing networks", backend.settings.outgoing_networks
    if not networks:
        yield Finding(subject=subject, ok=True, text="outgoing webhooks call public addresses only")
    for network in networks:
        risks = risks_of(network)
        text = f"outgoing webhooks may call {as_meant(network)}"
        if risks:
            text += (
                f", which opens {' and '.join(risks)}: take it out of MAILPULSE_OUTGOING_NETWORKS unless you mean that"
            )
        yield Finding(subject=subject, ok=True, warning=bool(risks), text=text)


def _outgoing_webhooks(backend: Backend) -> Iterator[Finding]:
    outgoing = backend.operations.outgoing()
    late = outgoing.oldest_due_s > OLDEST_OUTGOING_S
    failing, off = outgoing.webhooks["failing"], outgoing.webhooks["off"]
    problems = []
    if late:
        problems.append("is a worker running, and may it reach the internet?")
    if failing or off:
        problems.append("`mailpulse outgoing-webhooks list --org ID` says which are not on, and why")
    text = (
        f"{outgoing.webhooks['on']:,} on, {failing:,} failing and paused in between, {off:,} off;"
        f" {counted(outgoing.waiting, 'delivery waits', 'deliveries wait')},"
        f" the oldest is due for {outgoing.oldest_due_s:.0f} s"
    )
    yield Finding(subject="outgoing webhooks", ok=not late, warning=bool(failing), text="; ".join([text, *problems]))
