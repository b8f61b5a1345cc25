"""Say once that Redis is away, and once that it is back, however often it is asked in between."""

from logging import Logger


class RedisOutage:
    """Whether Redis is away, as one of its users sees it; logs when that changes.

    Args:
        logger: Of that user.
        meaning: What it does without Redis, for people.
        begins: Name of the logged event when Redis goes away.
        ends: Name of the logged event when it is back.
    """

    def __init__(self, logger: Logger, meaning: str, *, begins: str, ends: str) -> None:
        self._logger = logger
        self._words = f"Redis is away: {meaning}"
        self._begins = begins
        self._ends = ends
        self._is_away = False

    def note_away(self, error: Exception) -> None:
        """Note that Redis did not answer."""
        if not self._is_away:
            self._is_away = True
            self._logger.warning(self._words, extra={"event": self._begins, "error": type(error).__name__})

    def note_back(self) -> None:
        """Note that Redis answered."""
        if self._is_away:
            self._is_away = False
            self._logger.info("Redis is back", extra={"event": self._ends})
