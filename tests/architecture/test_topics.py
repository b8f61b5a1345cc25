"""Stored data does not know our folders: each stored class names itself, once and for all."""

import importlib
import inspect
import pkgutil
from collections import Counter

import domain


def classes_of_the_domain():
    for found in pkgutil.walk_packages(domain.__path__, "domain."):
        module = importlib.import_module(found.name)
        yield from nested_classes(module, module.__name__)


def nested_classes(owner, module_name):
    for value in vars(owner).values():
        if inspect.isclass(value) and value.__module__ == module_name and value is not owner:
            yield value
            yield from nested_classes(value, module_name)


def is_stored(cls):
    """Events and aggregates, of the library's or of msgspec's making: what has a place in a stream of events."""
    fields = {name for base in cls.__mro__ for name in inspect.get_annotations(base)}
    members = {name for base in cls.__mro__ for name in vars(base)}
    return {"originator_id", "originator_version"} <= fields | members or "trigger_event" in members


def is_base(cls, classes):
    """A class that others refine and that is never stored itself."""
    return any(cls in other.__mro__[1:] for other in classes) and "TOPIC" not in vars(cls)


def stored_classes():
    stored = {cls for cls in classes_of_the_domain() if is_stored(cls)}
    return sorted((cls for cls in stored if not is_base(cls, stored)), key=lambda cls: cls.__qualname__)


def test_the_email_message_and_its_events_are_stored():
    names = {cls.__qualname__ for cls in stored_classes()}

    assert {"EmailMessage.Opened", "EmailMessage.Clicked", "EmailMessage.Bounced"} <= names


def test_every_stored_class_has_a_topic_of_its_own():
    nameless = [cls.__qualname__ for cls in stored_classes() if not isinstance(vars(cls).get("TOPIC"), str)]

    assert nameless == []


def test_no_topic_is_used_twice():
    uses = Counter(vars(cls)["TOPIC"] for cls in stored_classes())

    assert [topic for topic, count in uses.items() if count > 1] == []


def test_no_topic_names_a_module():
    assert [cls.TOPIC for cls in stored_classes() if cls.__module__ in cls.TOPIC or ":" in cls.TOPIC] == []
