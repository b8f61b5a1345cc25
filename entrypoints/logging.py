"""One JSON object per line and record, on stderr, whichever library wrote it."""

import json
import logging
import logging.config
import traceback
from datetime import UTC, datetime
from typing import Any

from domain.errors import MailpulseError

# What every record carries; whatever else is on it came through ``extra``.
STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """Writes a record as one line: time, level, logger, message, the ``extra`` fields, and the exception if any."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__qualname__
            line["traceback"] = describe(record.exc_info[1])
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        for name, value in vars(record).items():
            if name not in STANDARD_ATTRIBUTES:
                line[name if name not in line else f"extra_{name}"] = value
        return json.dumps(line, default=str)


def describe(error: BaseException | None) -> str:
    """Say where an error came from, through all its causes, without quoting what it was about.

    The words of an error may hold an address or an IP (PostgreSQL quotes the value that it refuses); the words of our
    own errors never do. Of the others only the type, and PostgreSQL's code, are told.
    """
    parts: list[str] = []
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        words = str(error) if isinstance(error, MailpulseError) else str(getattr(error, "sqlstate", None) or "")
        parts.append(f"{frames}{type(error).__qualname__}{': ' if words else ''}{words}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\ncaused by\n".join(parts)


class OncePerOutage(logging.Filter):
    """Lets a library's cry through once in a while, that it repeats every few seconds for as long as Redis is away.

    Args:
        logger: Name, or beginning of the name, of the loggers that are held back.
        quiet_s: How long the same words are held back after they were let through.
    """

    def __init__(self, logger: str, quiet_s: float = 60.0) -> None:
        super().__init__()
        self._logger = logger
        self._quiet_s = quiet_s
        self._said_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(self._logger):
            return True
        words = (record.name, str(record.msg))
        if record.created - self._said_at.get(words, float("-inf")) < self._quiet_s:
            return False
        self._said_at[words] = record.created
        return True


def logging_config(level: str) -> dict[str, Any]:
    """Give the ``dictConfig`` of Mailpulse, for servers that configure logging in their own processes.

    Args:
        level: Lower or upper case name of a standard level.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "filters": {"consumers": {"()": OncePerOutage, "logger": "dramatiq.worker.ConsumerThread"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "filters": ["consumers"],
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"level": level.upper(), "handlers": ["stderr"]},
    }


def configure_logging(level: str) -> None:
    """Send everything that this process logs, Python's warnings included, to stderr as JSON lines.

    Args:
        level: Lower or upper case name of a standard level.
    """
    logging.config.dictConfig(logging_config(level))
    logging.captureWarnings(capture=True)
