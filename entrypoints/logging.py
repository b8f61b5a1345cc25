"""One JSON object per line and record, on stderr, whichever library wrote it."""

import json
import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

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
            line["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        for name, value in vars(record).items():
            if name not in STANDARD_ATTRIBUTES:
                line[name if name not in line else f"extra_{name}"] = value
        return json.dumps(line, default=str)


def logging_config(level: str) -> dict[str, Any]:
    """Give the ``dictConfig`` of Mailpulse, for servers that configure logging in their own processes.

    Args:
        level: Lower or upper case name of a standard level.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
    }


def configure_logging(level: str) -> None:
    """Send everything that this process logs, Python's warnings included, to stderr as JSON lines.

    Args:
        level: Lower or upper case name of a standard level.
    """
    logging.config.dictConfig(logging_config(level))
    logging.captureWarnings(capture=True)
