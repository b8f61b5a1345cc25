"""Certificates that the operator vouches for, so that none has to be fetched."""

import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from adapters.sns.https import LONGEST_ANSWER, HttpsAnswer, HttpsUnavailableError, get

_PLAIN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]|\.(?!\.)){0,252}")


class LocalCertificates:
    """Answers for the addresses of certificates that lie in a directory; the network answers for the others.

    Whoever may write into the directory decides whom SNS endpoints trust: it belongs to the operator alone. It serves
    machines that cannot reach Amazon, and the demo, whose provider signs with a certificate of its own. A certificate
    is checked like a fetched one: dates, kind and size of its key.

    Args:
        directory: Holds ``<host>/<last part of the path>``, such as
            ``sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem``; it need not exist.
        otherwise: Asked for every other address.
    """

    def __init__(self, directory: Path, otherwise: Callable[[str], HttpsAnswer] = get) -> None:
        self._directory = directory
        self._otherwise = otherwise

    def __call__(self, url: str) -> HttpsAnswer:
        """Give the certificate of an address.

        Raises:
            HttpsUnavailableError: The file cannot be read or is longer than 64 KiB, or the network does not answer.
        """
        path = self._path_for(url)
        if path is None:
            return self._otherwise(url)
        try:
            with path.open("rb") as file:
                pem = file.read(LONGEST_ANSWER + 1)
        except FileNotFoundError:
            return self._otherwise(url)
        except OSError as error:
            raise HttpsUnavailableError(f"the local copy of {path.name} cannot be read: {error.strerror}") from error
        if len(pem) > LONGEST_ANSWER:
            raise HttpsUnavailableError(f"the local copy of {path.name} is longer than {LONGEST_ANSWER} bytes")
        return HttpsAnswer(HTTPStatus.OK, pem)

    def _path_for(self, url: str) -> Path | None:
        """Name the file of an address; ``None`` if its parts are not plain names."""
        parts = urlsplit(url)
        name = parts.path.removeprefix("/")
        if parts.scheme != "https" or url != f"https://{parts.netloc}/{name}":
            return None
        if not (_PLAIN_NAME.fullmatch(parts.netloc) and _PLAIN_NAME.fullmatch(name) and name.endswith(".pem")):
            return None
        return self._directory / parts.netloc / name
