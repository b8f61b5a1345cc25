"""Why emails come back, in a few words that are the same for every provider."""

import re

from domain.values import BounceKind

_STATUS = re.compile(r"(?<![0-9.])([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.])")
_SMTP_CODE = re.compile(r"(?<![0-9.])([45])[0-9]{2}(?![0-9.])")

# RFC 3463 and its IANA registry: subject.detail of the enhanced status code.
_BY_STATUS = {
    "1.1": "mailbox_does_not_exist",
    "1.2": "domain_not_found",
    "1.3": "invalid_address",
    "1.6": "mailbox_moved",
    "1.10": "domain_not_found",
    "2.1": "mailbox_disabled",
    "2.2": "mailbox_full",
    "2.3": "message_too_large",
    "3.4": "message_too_large",
    "4.1": "connection_failed",
    "4.2": "connection_failed",
    "4.4": "domain_not_found",
    "4.7": "timed_out",
    "7.1": "policy",
    "7.20": "sender_not_authenticated",
    "7.23": "sender_not_authenticated",
    "7.25": "sender_not_authenticated",
    "7.26": "sender_not_authenticated",
    "7.27": "domain_not_found",
    "7.28": "rate_limited",
}
# The first word that occurs decides, so the more telling stand first.
_BY_WORDS = (
    ("mailbox_full", ("mailbox full", "mailbox is full", "over quota", "overquota", "quota exceeded", "no storage")),
    (
        "mailbox_does_not_exist",
        ("user unknown", "unknown user", "no such user", "does not exist", "doesn't exist", "recipient not found",
         "unknown recipient", "invalid recipient", "no mailbox here", "user not found", "recipientnotfound"),
    ),
    ("mailbox_disabled", ("account disabled", "mailbox disabled", "account is disabled", "inactive user")),
    ("message_too_large", ("too large", "size limit", "exceeds size", "message size")),
    ("blocked", ("blocklist", "block list", "blacklist", "spamhaus", "barracuda", "blocked", "reputation", "banned")),
    ("sender_not_authenticated", ("dmarc", "dkim", "spf ")),
    ("spam_content", ("spam", "junk", "content rejected")),
    ("domain_not_found", ("mx info", "domain not found", "host not found", "nxdomain", "no mx", "null mx")),
    ("rate_limited", ("rate limit", "too many", "throttl")),
    ("timed_out", ("timed out", "timeout", "expired", "retry time")),
    ("connection_failed", ("connection refused", "unable to connect", "connection reset")),
    ("policy", ("policy", "prohibited", "access denied")),
)  # fmt: skip
_SAY_LITTLE = {"7.1", "1.10"}
_BLOCKS = {"blocked", "spam_content", "attachment_rejected", "message_too_large", "policy", "rate_limited",
           "sender_not_authenticated"}  # fmt: skip
_FINAL = {"mailbox_does_not_exist", "domain_not_found", "invalid_address", "mailbox_moved", "mailbox_disabled"}
_PASSING = {"mailbox_full", "mailbox_unavailable", "connection_failed", "timed_out", "technical_failure"}
_LONGEST_READ = 1024  # the cause stands at the beginning; a megabyte of text is no answer of a mail server


def bounce_reason(status: str, text: str) -> str:
    """Name the cause of a bounce in one lower_snake_case word; "" if it cannot be told.

    Args:
        status: Enhanced status code such as ``5.1.1``; "" if the provider gives none, then it is looked for in `text`.
        text: The answer of the recipient's mail server.
    """
    code = _STATUS.search(status[:_LONGEST_READ] or text[:_LONGEST_READ]) or _STATUS.search(text[:_LONGEST_READ])
    by_status = _BY_STATUS.get(f"{code[2]}.{code[3]}", "") if code else ""
    # 5.7.1 says little, and 5.1.10 means a domain without mail to some and a missing mailbox to Exchange: the words
    # beside them say more.
    if code and by_status and f"{code[2]}.{code[3]}" not in _SAY_LITTLE:
        return by_status
    words = text[:_LONGEST_READ].casefold()
    return next((reason for reason, hints in _BY_WORDS if any(hint in words for hint in hints)), by_status)


def bounce_kind(reason: str, status: str, text: str, otherwise: BounceKind) -> BounceKind:
    """Say how final a bounce is: by its cause, else by its code, else as the provider said.

    Args:
        reason: As `bounce_reason` gave it.
        status: Enhanced status code or "".
        text: The answer of the recipient's mail server.
        otherwise: What it is if neither cause nor code tells.
    """
    if reason in _BLOCKS:
        return BounceKind.BLOCK
    if reason in _PASSING:
        return BounceKind.SOFT
    code = _STATUS.search(status[:_LONGEST_READ]) or _SMTP_CODE.search(text[:_LONGEST_READ])
    if code and code[1] == "4":
        return BounceKind.SOFT
    return BounceKind.HARD if reason in _FINAL else otherwise
