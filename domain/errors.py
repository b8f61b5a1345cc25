"""The errors of Mailpulse: each class has a stable code and says in words what is wrong."""

from typing import ClassVar


class MailpulseError(Exception):
    """Root of every error that Mailpulse raises on purpose.

    Attributes:
        code: Stable machine-readable name; part of API answers, logs and metric labels.
    """

    code: ClassVar[str] = "mailpulse_error"


class DomainError(MailpulseError):
    """A value or a decision that the rules do not allow."""

    code = "domain_error"


class ApplicationError(MailpulseError):
    """A use case that cannot be carried out as asked."""

    code = "application_error"


class PortError(MailpulseError):
    """Something outside did not do its part."""

    code = "port_error"


class InvalidAddressError(DomainError):
    """A text that is no email address."""

    code = "invalid_address"


class InvalidMessageIdError(DomainError):
    """A text that cannot be a provider's message id."""

    code = "invalid_message_id"
