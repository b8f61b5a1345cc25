"""The rules of detection that hold: the built-in ones, a public list of crawlers, and the operator's file."""

import logging
import os
import re
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from domain.errors import PortError
from domain.policies.detection.built_in import built_in_rules
from domain.policies.detection.detection import Detection
from domain.policies.detection.rule_file import MalformedRulesError, parse_rules
from domain.policies.detection.rules import DetectionRules

logger = logging.getLogger(__name__)

LOOKED_AT_EVERY_S: Final = 2.0
LARGEST_FILE: Final = 1_000_000

Fingerprint: TypeAlias = tuple[int, int, int, int] | None


class UnusableRulesError(PortError):
    """The operator's file of detection rules cannot be used; the text says where and why, line by line."""

    code = "unusable_detection_rules"


@cache
def shipped_rules() -> DetectionRules:
    """Give the built-in rules with the patterns of the package ``crawler-user-agents``, joined into one."""
    patterns = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA]
    for pattern in patterns:
        re.compile(pattern)  # one that does not compile names itself here, and not as a place in the whole
    return built_in_rules().with_more(DetectionRules(crawlers="|".join(f"(?:{pattern})" for pattern in patterns)))


def operators_rules(path: Path) -> DetectionRules:
    """Read the operator's file.

    Raises:
        UnusableRulesError: It cannot be read or understood; names the file and every wrong line.
    """
    try:
        raw = _content(path)
    except FileNotFoundError:
        return DetectionRules()
    except OSError as error:
        raise UnusableRulesError(f"{path}: {error.strerror}") from error
    if len(raw) > LARGEST_FILE:
        raise UnusableRulesError(f"{path}: is larger than {LARGEST_FILE:,} bytes")
    try:
        return parse_rules(raw.decode())
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UnusableRulesError(f"{path}, line {line}: is no UTF-8 text") from error
    except MalformedRulesError as error:
        raise UnusableRulesError("; ".join(f"{path}, line {line}: {flaw}" for line, flaw in error.flaws)) from error


def _content(path: Path) -> bytes:
    # A pipe would keep us waiting for whoever writes, and some devices never end.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UnusableRulesError(f"{path}: is no file of text")
        return file.read(LARGEST_FILE + 1)


class RulesFile:
    """The rules that hold now: looks every two seconds whether the operator's file changed.

    A file that cannot be used changes nothing: the rules that held go on, and one line in the log says why.

    Args:
        path: Of the operator's file; it need not exist.
        monotonic: Gives seconds.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._look_next_at = float("-inf")
        self._seen: Fingerprint = None
        self._detection: Detection | None = None

    def __call__(self) -> Detection:
        """Give them; see `application.ports.detection.CurrentDetection`."""
        now = self._monotonic()
        if now >= self._look_next_at:
            self._look_next_at = now + LOOKED_AT_EVERY_S
            self._look()
        return self._detection or self._use(DetectionRules())

    def _look(self) -> None:
        found = _fingerprint(self._path)
        if found == self._seen:
            return
        is_first, self._seen = self._detection is None, found
        try:
            rules = operators_rules(self._path)
        except UnusableRulesError as error:
            logger.error(  # noqa: TRY400 - the error is the operator's; its text says all
                "The detection rules cannot be used; those that held stay",
                extra={"event": "detection_rules_refused", "reason": str(error)},
            )
            return
        self._use(rules)
        if rules != DetectionRules() or not is_first:
            logger.info(
                "Detection rules are in use",
                extra={
                    "event": "detection_rules_used",
                    "networks": len(rules.networks),
                    "agents": len(rules.agents),
                    "allowed": len(rules.allowed),
                },
            )

    def _use(self, rules: DetectionRules) -> Detection:
        self._detection = Detection(shipped_rules().with_more(rules))
        return self._detection


def _fingerprint(path: Path) -> Fingerprint:
    try:
        found = path.stat()
    except OSError:
        return None
    # The last change of all tells of rights as well: a file may be refused because it could not be read.
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
