"""What an operator may set, and the one line that a wrong value gets."""

import ipaddress
import json
import logging
import re
import sys
from pathlib import Path

import msgspec
import pytest

from domain.errors import MailpulseError
from entrypoints.logging import JsonFormatter
from entrypoints.settings import Secret, Settings, SettingsError

KEYS = "a-newer-key-of-32-characters-0001,an-older-key-of-32-characters-002"
EXTERNAL = {"MAILPULSE_DATABASE_URL": "postgresql://app:hunter2@db/mail", "MAILPULSE_SECRET_KEYS": KEYS}


def test_nothing_set_means_everything_embedded_on_this_machine():
    settings = Settings.from_env({})

    assert settings.embeds_database
    assert settings.embeds_redis
    assert settings.data_dir == Path("var").absolute()
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert (settings.web_processes, settings.worker_processes, settings.log_level) == (1, 1, "info")
    assert settings.trusted_proxies == ()
    assert settings.secret_keys == ()


def test_every_setting_is_read():
    settings = Settings.from_env(
        {
            **EXTERNAL,
            "MAILPULSE_REDIS_URL": "rediss://cache:6380/1",
            "MAILPULSE_DATA_DIR": "/srv/mailpulse",
            "MAILPULSE_HOST": "0.0.0.0",  # noqa: S104  the example
            "MAILPULSE_PORT": "80",
            "MAILPULSE_PUBLIC_URL": "https://mail.example.com/",
            "MAILPULSE_OPERATOR_TOKEN": "an operator's long token",
            "MAILPULSE_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32",
            "MAILPULSE_LOG_LEVEL": "DEBUG",
            "MAILPULSE_WEB_PROCESSES": "2",
            "MAILPULSE_WORKER_PROCESSES": "3",
            "MAILPULSE_WORKER_THREADS": "8",
        }
    )

    assert settings == Settings(
        database_url="postgresql://app:hunter2@db/mail",
        redis_url="rediss://cache:6380/1",
        data_dir=Path("/srv/mailpulse"),
        host="0.0.0.0",  # noqa: S104  the example
        port=80,
        public_url="https://mail.example.com",
        secret_keys=tuple(Secret(key) for key in KEYS.split(",")),
        operator_token=Secret("an operator's long token"),
        trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32")),
        log_level="debug",
        web_processes=2,
        worker_processes=3,
        worker_threads=8,
    )


def test_an_empty_value_counts_as_not_set():
    empty = dict.fromkeys(["MAILPULSE_DATABASE_URL", "MAILPULSE_PORT", "MAILPULSE_SECRET_KEYS"], " ")

    assert Settings.from_env(empty) == Settings.from_env({})


@pytest.mark.parametrize(
    "name, value, problem",
    [
        ("MAILPULSE_PORT", "80a", "'80a': give a whole number from 1 to 65535"),
        ("MAILPULSE_PORT", "0", "'0': give a whole number"),
        ("MAILPULSE_PORT", "٨٠", "give a whole number"),
        ("MAILPULSE_PORT", "8\n0", r"'8\\n0': give a whole number"),
        ("MAILPULSE_HOST", "http://localhost", "give an IP address or a host name"),
        ("MAILPULSE_HOST", "127.0.0.256", "give an IP address or a host name"),
        ("MAILPULSE_DATABASE_URL", "mysql://db/mail", "starts with 'mysql': give postgresql://"),
        ("MAILPULSE_DATABASE_URL", "db/mail", "is no URL: give postgresql://"),
        ("MAILPULSE_DATABASE_URL", "postgresql://db", "names no database"),
        ("MAILPULSE_DATABASE_URL", "postgresql://db:port/mail", "is no URL"),
        ("MAILPULSE_REDIS_URL", "localhost:6379", "starts with 'localhost': give redis://"),
        ("MAILPULSE_REDIS_URL", "redis://", "names no server"),
        ("MAILPULSE_REDIS_URL", "redis://cache/mail", "has 'mail' for the number of a database: give redis://"),
        ("MAILPULSE_DATA_DIR", __file__, "is no directory"),
        ("MAILPULSE_DATA_DIR", "x" * 300, r"\(File name too long\): give the path of a directory"),
        ("MAILPULSE_PUBLIC_URL", "mail.example.com", "'mail.example.com': give http:// or https://"),
        ("MAILPULSE_PUBLIC_URL", "https://mail.example.com/?a=b", "give http:// or https://"),
        ("MAILPULSE_PUBLIC_URL", "https://mail.example.com/?", "give http:// or https://"),
        ("MAILPULSE_PUBLIC_URL", "https://mail.example.com/#top", "give http:// or https://"),
        ("MAILPULSE_PUBLIC_URL", "https://me:secret@mail.example.com", "'https://mail.example.com': give http://"),
        ("MAILPULSE_PUBLIC_URL", "https://mail.example.com/pulse", "path '/pulse', .*: give .* a host name of its own"),
        ("MAILPULSE_PUBLIC_URL", "https://mail.example.com/a/b/", "path '/a/b', .*: give .* a host name of its own"),
        ("MAILPULSE_PUBLIC_URL", "https://mail example.com", "contains white space"),
        ("MAILPULSE_PUBLIC_URL", 'https://"mail.example.com"', "give http:// or https://"),
        ("MAILPULSE_PUBLIC_URL", "https://<your.host>", "give http:// or https://"),
        ("MAILPULSE_PUBLIC_URL", "https://a.example.com,https://b.example.com", "give http:// or https://"),
        ("MAILPULSE_SECRET_KEYS", "short", "has 5 characters in key 1: give comma-separated keys of at least 16"),
        ("MAILPULSE_SECRET_KEYS", f"{KEYS},", "has 0 characters in key 3"),
        ("MAILPULSE_SECRET_KEYS", f"{'k' * 20},{'k' * 20}", "the same key twice"),
        ("MAILPULSE_TRUSTED_PROXIES", "10.0.0.1/8", "'10.0.0.1/8' .*host bits set.*: give comma-separated networks"),
        ("MAILPULSE_TRUSTED_PROXIES", "10.0.0.0/8,,", "has '' .*give comma-separated networks"),
        ("MAILPULSE_LOG_LEVEL", "loud", "'loud': give one of debug, info"),
        ("MAILPULSE_WEB_PROCESSES", "-1", "give a whole number from 1"),
        ("MAILPULSE_WORKER_PROCESSES", "1e3", "give a whole number from 1"),
        ("MAILPULSE_WORKER_THREADS", "9" * 5000, "give a whole number from 1"),
        ("MAILPULSE_PROT", "80", "is no setting of Mailpulse: did you mean MAILPULSE_PORT?"),
        ("POSTGRES_ENABLE_DB_FUNCTIONS", "y", "'y': with it readers skip events; unset it"),
    ],
)
def test_a_wrong_value_is_named_in_one_line_with_what_is_accepted(name, value, problem):
    with pytest.raises(SettingsError, match=problem) as refused:
        Settings.from_env({name: value})

    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    assert isinstance(refused.value, MailpulseError)


@pytest.mark.parametrize("value", ["", "n", "No", "false", "0", "off"])
def test_database_functions_that_are_switched_off_are_no_obstacle(value):
    Settings.from_env({"POSTGRES_ENABLE_DB_FUNCTIONS": value})


def test_settings_of_the_test_suite_are_left_alone():
    Settings.from_env({"MAILPULSE_TEST_DATABASE_URL": "whatever"})


def test_an_external_database_needs_secret_keys():
    with pytest.raises(SettingsError, match=r"MAILPULSE_SECRET_KEYS is not set but MAILPULSE_DATABASE_URL is"):
        Settings.from_env({"MAILPULSE_DATABASE_URL": "postgresql://db/mail"})


@pytest.mark.parametrize(
    "url",
    [
        "https://mail.example.com:8443",
        "http://[2001:db8::1]:8000",
        "http://10.0.0.7",
        "http://web_1",
        "https://pulse-1.example.",
    ],
)
def test_a_public_url_may_have_any_host_that_can_be_visited(url):
    assert Settings.from_env({"MAILPULSE_PUBLIC_URL": url}).public_url == url


@pytest.mark.parametrize("host, url", [("0.0.0.0", "http://localhost:8000"), ("::1", "http://[::1]:8000")])  # noqa: S104
def test_the_default_public_url_can_be_visited(host, url):
    assert Settings.from_env({"MAILPULSE_HOST": host}).public_url == url


def test_neither_keys_nor_passwords_show_in_settings_or_their_errors():
    shown = repr(Settings.from_env({**EXTERNAL, "MAILPULSE_REDIS_URL": "redis://:hunter2@cache/0?password=hunter2"}))

    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"MAILPULSE_DATABASE_URL": "postgresql://app:hunter2@db"})

    assert "hunter2" not in shown + str(refused.value)
    assert not any(key in shown for key in KEYS.split(","))
    assert "postgresql://db/mail" in shown, "where it leads is no secret"


def test_embedded_keys_are_made_once_and_readable_by_their_owner_only(tmp_path):
    settings = Settings.from_env({"MAILPULSE_DATA_DIR": str(tmp_path / "var")})

    first = settings.with_secret_keys().secret_keys
    second = settings.with_secret_keys().secret_keys

    assert first == second
    assert len(first[0].reveal()) >= 32
    assert (tmp_path / "var" / "secret_keys").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret_keys"], "no draft is left"


@pytest.mark.parametrize("mode, content, problem", [(0o644, f"{KEYS}\n", "chmod 600"), (0o600, "\n", "is empty")])
def test_a_key_file_that_cannot_be_trusted_is_refused(tmp_path, mode, content, problem):
    file = tmp_path / "secret_keys"
    file.write_text(content)
    file.chmod(mode)

    with pytest.raises(SettingsError, match=problem):
        Settings.from_env({"MAILPULSE_DATA_DIR": str(tmp_path)}).with_secret_keys()


def test_a_supervised_process_reads_the_same_settings(tmp_path):
    own = {"MAILPULSE_DATA_DIR": str(tmp_path), "MAILPULSE_PORT": "8123", "PATH": "/bin"}
    settings = Settings.from_env(own)

    handed = settings.child_environment(
        own, database_url="postgresql://mailpulse@/mailpulse?host=%2Ftmp", redis_url="unix:///tmp/r", supervisor_pid=7
    )

    assert handed["PATH"] == "/bin"
    assert Settings.from_env(handed) == msgspec.structs.replace(
        settings.with_secret_keys(),
        database_url="postgresql://mailpulse@/mailpulse?host=%2Ftmp",
        redis_url="unix:///tmp/r",
        supervisor_pid=7,
    )


def record(message="stored", **extra):
    return logging.getLogger("entrypoints.web").makeRecord(
        "entrypoints.web", logging.INFO, "f.py", 1, message, (), None, extra=extra
    )


def test_a_log_record_is_one_line_of_json_with_its_extra_fields():
    line = JsonFormatter().format(record("two\nlines", event="webhook_stored", path=Path("/x"), odd="\udc80"))

    read = json.loads(line)
    assert "\n" not in line
    assert read["message"] == "two\nlines"
    assert (read["level"], read["logger"], read["event"], read["path"]) == (
        "info",
        "entrypoints.web",
        "webhook_stored",
        "/x",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read["time"])


def test_a_logged_exception_carries_its_type_and_traceback():
    failed = record()
    try:
        raise SettingsError("wrong")
    except SettingsError:
        failed.exc_info = sys.exc_info()

    read = json.loads(JsonFormatter().format(failed))

    assert read["exception"] == "SettingsError"
    assert read["traceback"].endswith("SettingsError: wrong")


def test_an_extra_field_never_hides_a_standard_one():
    read = json.loads(JsonFormatter().format(record(time="noon")))

    assert read["extra_time"] == "noon"
    assert read["time"].endswith("Z")
