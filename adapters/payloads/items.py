"""Take a delivery apart into its items, so that a bad one never costs the others."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from adapters.payloads.fields import InvalidFieldError, name_of_type
from application.ports.provider import MalformedDeliveryError, Outcome, Rejected
from domain.errors import InvalidAddressError, InvalidMessageIdError

_ESCAPES = re.compile(
    rb"\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character beyond U+FFFF
    rb"|(\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))"  # U+0000, which PostgreSQL cannot store; half a pair
    rb"|\\.",
    re.DOTALL,
)


MOST_ITEMS: Final = 50_000
"""Far above any provider's batch; a delivery of more is set aside whole, so that it can stall nobody."""
_MOST_BRACKETS: Final = 8 * MOST_ITEMS
_LARGE_BYTES: Final = 1_000_000
_TOO_MANY: Final = f"the body holds more than {MOST_ITEMS:,} items: have the provider send smaller batches"


class Unreadable(msgspec.Struct, frozen=True):
    """Stands where an item is JSON that no program can hold, such as the number 1e999."""

    problem: str

    def __str__(self) -> str:
        return self.problem


class Items(msgspec.Struct, frozen=True):
    """The items of one delivery.

    Attributes:
        values: Decoded, in the order of the payload.
        body: What they were decoded from.
        is_array: Whether the delivery was a list or one bare object.
    """

    values: list[Any]
    body: bytes
    is_array: bool

    def body_of(self, indices: list[int]) -> list[bytes]:
        """Cut single items out of the delivery, byte by byte, each as a delivery of its own."""
        if not self.is_array:
            return [self.body for _ in indices]
        raw = msgspec.json.decode(self.body, type=list[msgspec.Raw])
        return [b"[" + bytes(raw[index]) + b"]" for index in indices]


def read_items(body: bytes) -> Items:
    """Decode a delivery: a list of items or one bare object.

    U+0000 and half surrogate pairs become U+FFFD: PostgreSQL stores neither, and nothing else of the text is lost.

    Raises:
        MalformedDeliveryError: No item can be told from another.
    """
    if len(body) > _LARGE_BYTES and body.count(b"{") + body.count(b"[") > _MOST_BRACKETS:
        raise MalformedDeliveryError(_TOO_MANY)  # before millions of objects are made of it
    body = without_unstorable_characters(body)
    try:
        value = _decode(body)
    except UnicodeDecodeError as error:
        raise MalformedDeliveryError("the body is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise MalformedDeliveryError(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise MalformedDeliveryError("the body is nested too deeply") from error
    if isinstance(value, list) and len(value) > MOST_ITEMS:
        raise MalformedDeliveryError(_TOO_MANY)
    if isinstance(value, list):
        return Items(value, body, is_array=True)
    if isinstance(value, dict | Unreadable):
        return Items([value], body, is_array=False)
    raise MalformedDeliveryError(f"expected a list or an object, got {name_of_type(value)}")


def read_items_of(body: bytes, decode: Callable[[bytes], list[Any]]) -> Items | None:
    """Decode a delivery of which every item fits a type, at once; ``None`` where `read_items` must look closer.

    Args:
        body: As received.
        decode: Raises `msgspec.DecodeError` if a single item does not fit, or it is no list.
    """
    if len(body) > _LARGE_BYTES:
        return None
    body = without_unstorable_characters(body)
    try:
        return Items(decode(body), body, is_array=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def without_unstorable_characters(body: bytes) -> bytes:
    """Replace escapes of U+0000 and of half surrogate pairs by that of U+FFFD; as good as free if there are none."""
    if b"\\" not in body:  # by far the quickest to ask
        return body
    if b"\\u0000" not in body and b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPES.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], body)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError:  # the grammar is right, but some number fits no type
        return _decode_one_by_one(body)


def _decode_one_by_one(body: bytes) -> Any:
    if not body.lstrip().startswith(b"["):
        return _decode_item(msgspec.Raw(body))
    return [_decode_item(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]


def _decode_item(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.ValidationError as error:
        return Unreadable(str(error).partition(" - at ")[0])


def _problem_of(item: object) -> str:
    return item.problem if isinstance(item, Unreadable) else f"expected an object, got {name_of_type(item)}"


def translate_items(
    items: Items, read: Callable[[Any], Outcome], message_id_of: Callable[[Any], str], *, readable: type = dict
) -> list[Outcome]:
    """Read every item by `read`; those that it cannot read are set aside with their reason.

    Args:
        items: Of one delivery.
        read: Raises `InvalidFieldError`, `InvalidAddressError` or `InvalidMessageIdError` for what it cannot read.
        message_id_of: The message id of an item that was set aside, as far as it can be told.
        readable: What items are that `read` takes; others are no objects.
    """
    outcomes: list[Outcome] = []
    reasons: dict[int, str] = {}
    append = outcomes.append
    for index, item in enumerate(items.values):
        if type(item) is not readable:
            reasons[index] = f"item: {_problem_of(item)}"
        else:
            try:
                append(read(item))
                continue
            except (InvalidFieldError, InvalidAddressError, InvalidMessageIdError) as error:
                reasons[index] = str(error)
        append(Rejected(reasons[index], b""))
    if reasons:
        for (index, reason), body in zip(reasons.items(), items.body_of(list(reasons)), strict=True):
            item = items.values[index]
            outcomes[index] = Rejected(reason, body, message_id_of(item) if type(item) is readable else "")
    return outcomes
