"""Why a question got no answer."""

from domain.errors import MailpulseError, PortError


class AnswersUnavailableError(PortError):
    """The database that answers cannot be reached, or did not answer in time; the same question may be asked again."""

    code = "answers_unavailable"


class InvalidCursorError(MailpulseError):
    """A cursor that was not given out with an earlier page of the same list."""

    code = "invalid_cursor"
