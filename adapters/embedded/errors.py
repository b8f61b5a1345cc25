"""What goes wrong with servers that Mailpulse starts itself."""

from domain.errors import PortError


class EmbeddedServerError(PortError):
    """An embedded server cannot be started; the text is one line that says why and what to do."""

    code = "embedded_server_error"
