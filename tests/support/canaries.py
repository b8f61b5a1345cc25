"""Look for planted people in everything that a service leaves behind: a dump of database and Redis, and all logs.

`scan` finds what an intruder would find who knows what to look for: plain, in any case, in bytes, as hexadecimal, as
base64 at any offset, percent-encoded, a name in Punycode, an address by its digest, and IPv6 addresses also in
binary. It does not break ciphers.
"""

import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from hashlib import new
from ipaddress import IPv6Address
from pathlib import Path
from secrets import choice, randbelow, token_hex
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import psycopg
import redis
from psycopg.sql import SQL, Identifier

from adapters.embedded.wheels import postgres_programs

DIGESTS = ("md5", "sha1", "sha256")
FOR_URLS = bytes.maketrans(b"+/", b"-_")
STORED_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
"""


def _in_lower_case(content: bytes) -> bytes:
    return content.decode(errors="surrogateescape").lower().encode(errors="surrogateescape")


def _made_up_word() -> str:
    return "".join(choice("bcdfghjklmnpqrstvwxz") for _ in range(12))


class Hit(NamedTuple):
    """A canary that was found.

    Attributes:
        where: Dump, table, key or file.
        kind: Which of the person's texts, such as ``address``.
        form: How it was written.
    """

    where: str
    kind: str
    form: str


class Canary:
    """Somebody made up, whose every text is nowhere else in the world."""

    def __init__(self):
        self.token = token_hex(8)
        self.address = f"canary.{self.token}@birds.example"
        self.first_name, self.last_name = _made_up_word(), f"ö{_made_up_word()}"
        self.name = f"{self.first_name.title()} {self.last_name.upper()}"
        self.subject = f"An offer for {self.token}-you"
        self.ip_address = f"2001:db8:{':'.join(f'{1 + randbelow(0xFFFE):x}' for _ in range(6))}"
        self.user_agent = f"Mozilla/5.0 (Birdcage; {self.token}x) Canary/1.0"
        self.metadata = f"meta-{self.token}"

    @property
    def texts(self):
        return {
            "address": self.address,
            "name": self.name,
            "first name": self.first_name,
            "last name": self.last_name,
            "subject": self.subject,
            "ip_address": self.ip_address,
            "user_agent": self.user_agent,
            "metadata": self.metadata,
            "token": self.token,
        }

    def forms(self) -> Iterator[tuple[str, str, bytes]]:
        """Give every spelling by kind and form."""
        for kind, text in self.texts.items():
            plain = text.encode()
            yield kind, "plain", plain
            yield kind, "hexadecimal", plain.hex().encode()
            for spelling in dict.fromkeys((text, text.lower(), text.upper())):  # escapes of "ö" and "Ö" differ
                yield kind, "plus-encoded", quote_plus(spelling).encode()
                yield kind, "percent-encoded", quote(spelling, safe="").encode()
                yield kind, "percent-encoded twice", quote(quote(spelling, safe=""), safe="").encode()
            for offset in range(3):
                # Only the characters that depend on nothing but the text itself.
                encoded = b64encode(b"\x00" * offset + plain)
                first, last = (0, 2, 3)[offset], -4 if (offset + len(plain)) % 3 else None
                yield kind, f"base64 at offset {offset}", encoded[first:last]
                yield kind, f"base64 of URLs at offset {offset}", encoded[first:last].translate(FOR_URLS)
        for digest in DIGESTS:
            yield "address", digest, new(digest, self.address.encode()).hexdigest().encode()
        yield "last name", "punycode", self.last_name.encode("punycode")
        packed = IPv6Address(self.ip_address).packed
        yield "ip_address", "binary", packed
        yield "ip_address", "binary in hexadecimal", packed.hex().encode()
        yield "ip_address", "spelt out", IPv6Address(self.ip_address).exploded.encode()

    def found_in(self, where: str, haystack: bytes) -> Iterator[Hit]:
        lowered = _in_lower_case(haystack)
        for kind, form, needle in self.forms():
            if needle in haystack or _in_lower_case(needle) in lowered:
                yield Hit(where, kind, form)


def scan(canary: Canary, *, database_url: str, redis_url: str, log_files: list[Path]) -> list[Hit]:
    """Look everywhere.

    Args:
        canary: Who must not be found.
        database_url: Of a user who sees everything.
        redis_url: All of its keys and values are looked at.
        log_files: Of every process.
    """
    places = [*_dump(database_url), *_tables(database_url), *_redis(redis_url), *_files(log_files)]
    return [hit for where, content in places for hit in canary.found_in(where, content)]


def log_files_under(data_dir: Path) -> list[Path]:
    """Give every log below a data directory: of the service, and of the servers that it embeds."""
    files = [path for path in data_dir.rglob("*") if path.is_file() and "log" in path.name.split(".")]
    return [path for path in files if "data" not in path.relative_to(data_dir).parts[:-1]]


def _dump(database_url: str) -> Iterator[tuple[str, bytes]]:
    # The wheel's PostgreSQL is newer than what anybody lets us use: pg_dump reads older servers.
    done = subprocess.run(
        [postgres_programs() / "pg_dump", "--dbname", database_url, "--format=plain"],
        capture_output=True,
        check=True,
        timeout=300,
        env=os.environ | {"PGCONNECT_TIMEOUT": "5"},
    )
    yield "pg_dump", done.stdout


def _tables(database_url: str) -> Iterator[tuple[str, bytes]]:
    """Give every table as binary COPY has it: bytes stand there as they are."""
    with psycopg.connect(database_url) as connection:
        for schema, table in connection.execute(STORED_TABLES).fetchall():
            copy = SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT BINARY)").format(Identifier(schema, table))
            with connection.cursor().copy(copy) as rows:
                yield f"{schema}.{table}", b"".join(bytes(part) for part in rows)


def _redis(redis_url: str) -> Iterator[tuple[str, bytes]]:
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(count=1_000):
            name = f"redis {key.decode(errors='replace')}"
            yield name, key
            yield name, _redis_value(client, key)


def _redis_value(client, key: bytes) -> bytes:
    read = {
        b"string": lambda: [client.get(key) or b""],
        b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: list(client.smembers(key)),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"none": list,
    }
    return b"\n".join(read[client.type(key)]())


def _files(log_files: list[Path]) -> Iterator[tuple[str, bytes]]:
    for path in log_files:
        yield str(path), path.read_bytes()
