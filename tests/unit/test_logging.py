import json
import logging

import pytest

from domain.errors import PortError
from entrypoints.logging import JsonFormatter, OncePerOutage, describe


def record(name="dramatiq.worker.ConsumerThread(inbox)", words="Consumer encountered an error: %s", at=0.0):
    made = logging.LogRecord(name, logging.CRITICAL, __file__, 1, words, ("refused",), None)
    made.created = at
    return made


def test_the_same_cry_of_a_library_is_let_through_once_a_minute():
    quiet = OncePerOutage("dramatiq.worker.ConsumerThread", quiet_s=60.0)

    heard = [at for at in (0.0, 3.0, 59.0, 61.0, 64.0) if quiet.filter(record(at=at))]

    assert heard == [0.0, 61.0]


@pytest.mark.parametrize("other", [record(name="entrypoints.worker"), record(words="Restarting consumer in %s")])
def test_other_words_and_other_loggers_are_never_held_back(other):
    quiet = OncePerOutage("dramatiq.worker.ConsumerThread")
    quiet.filter(record())

    assert quiet.filter(other)


def test_a_traceback_says_where_it_went_wrong_and_quotes_nobody():
    def convert(value):
        raise ValueError(f"{value} is not an inet")

    try:
        try:
            convert("john@" + "example.com")
        except ValueError as error:
            raise PortError("the rows cannot be written") from error
    except PortError as error:
        said = describe(error)

    assert "the rows cannot be written" in said
    assert "in convert" in said
    assert "ValueError" in said
    assert "john@example.com" not in said


def test_a_record_is_one_line_of_json_with_what_was_added_to_it():
    made = record(words="%s")
    made.delivery_id = 7

    line = JsonFormatter().format(made)

    assert "\n" not in line
    assert json.loads(line)["delivery_id"] == 7
    assert json.loads(line)["level"] == "critical"
