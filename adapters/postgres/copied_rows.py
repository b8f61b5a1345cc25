"""Engagement rows as the text that ``COPY … FROM STDIN`` reads, in the order of columns of `engagement_statements`.

psycopg looks at every value of every row for what it is; written as what they are known to be, rows take a third of
that.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import astuple

from adapters.postgres import engagement_statements as statements
from adapters.postgres.arrays import microseconds
from read_models.engagement.view import AutomatedRow, EmailLog, EventRow

_NOTHING: Final = r"\N"
_ESCAPED: Final = str.maketrans(
    {"\\": r"\\", "\b": r"\b", "\t": r"\t", "\n": r"\n", "\v": r"\v", "\f": r"\f", "\r": r"\r"}
)

_json = msgspec.json.Encoder().encode


def registered_lines(emails: Iterable[EmailLog]) -> str:
    """Write whole rows of emails."""
    return "".join(["\t".join(map(_written, astuple(email))) + "\n" for email in emails])


def changed_lines(emails: Iterable[EmailLog]) -> str:
    """Write the ids of emails and what may have changed of them."""
    # Half of it is NULL and a third are numbers: a call less for each.
    return "".join(
        [
            f"{email.id}\t"
            + "\t".join(
                [
                    _NOTHING if value is None else str(value) if type(value) is int else _written(value)
                    for value in astuple(email)[statements.CHANGING]
                ]
            )
            + "\n"
            for email in emails
        ]
    )


def event_lines(rows: Iterable[EventRow]) -> str:
    """Write rows of a timeline, each with what its email tells of it."""
    lines: list[str] = []
    told: dict[int, tuple[str, str]] = {}
    for row in rows:
        email = row.email
        known = told.get(email.id)
        if known is None:
            known = told[email.id] = email.organization_id.hex, f"{email.campaign_contact_id.hex}\t{_about(email)}"
        organization_id, about = known
        lines.append(
            f"{row.place}\t{row.key.hex()}\t{organization_id}\t{email.id}\t{row.event_word}\t"
            f"{microseconds(row.occurred_at)}\t{copied(row.url)}\t{copied(row.ip_address)}\t{copied(row.user_agent)}\t"
            f"{_data(row)}\t{microseconds(row.recorded_at)}\t{row.verdict or _NOTHING}\t"
            f"{word_array(row.reasons) if row.reasons else _NOTHING}\t{about}\n"
        )
    return "".join(lines)


def automated_lines(rows: Iterable[AutomatedRow]) -> str:
    """Write rows of what machines did."""
    return "".join([_automated_line(row.row, row) for row in rows])


def copied(text: str | None) -> str:
    """Write any text; ``None`` is NULL."""
    if text is None:
        return _NOTHING
    # Asking first takes a tenth of translating, and there is hardly ever anything to escape.
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPED)


def word_array(words: Iterable[str]) -> str:
    """Write a ``text[]`` of words such as names of rules, which need no quotes."""
    return "{" + ",".join(words) + "}"


def _about(email: EmailLog) -> str:
    tracking = "t" if email.tracking else "f"
    campaign_id = email.campaign_id.hex if email.campaign_id else _NOTHING
    return (
        f"{copied(email.tracking_id)}\t{tracking}\t{copied(email.job_id)}\t{campaign_id}\t{copied(email.template_id)}"
    )


def _automated_line(row: EventRow, automated: AutomatedRow) -> str:
    email = row.email
    campaign_id = email.campaign_id.hex if email.campaign_id else _NOTHING
    return (
        f"{row.key.hex()}\t{email.campaign_contact_id.hex}\t{row.event_type}\t{_data(row)}\t"
        f"{microseconds(row.occurred_at)}\t{copied(email.tracking_id)}\t{copied(row.user_agent)}\t"
        f"{copied(row.ip_address)}\t{copied(row.url)}\t{microseconds(row.recorded_at)}\t{email.organization_id.hex}\t"
        f"{email.id}\t{copied(email.job_id)}\t{campaign_id}\t{copied(email.template_id)}\t{row.place}\t{row.verdict}\t"
        f"{word_array(row.reasons)}\t{automated.confidence}\t{automated.rule_version}\n"
    )


def _data(row: EventRow) -> str:
    return copied(_json(row.event_data).decode()) if row.event_data else _NOTHING


def _written(value: object) -> str:
    if value is None:
        return _NOTHING
    kind = type(value)
    if kind is datetime:
        return str(microseconds(value))  # type: ignore[arg-type]  # it is a datetime
    if kind is str:
        return copied(value)  # type: ignore[arg-type]  # it is a str
    return str(value)  # numbers, ids, and truth, which PostgreSQL reads as Python writes it
