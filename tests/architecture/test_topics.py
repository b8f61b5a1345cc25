"""Stored data does not know our folders: each stored class names itself, once and for all."""

import importlib
import inspect
import pkgutil
from collections import Counter
from typing import get_args

import domain
from domain.email_facts import FACTS, AnyFact

# What databases hold already. A topic may be added; none may be renamed, reused or dropped.
STORED_SINCE_0_1 = {
    "EmailMessage.Sent",
    "EmailMessage.Delivered",
    "EmailMessage.Deferred",
    "EmailMessage.Opened",
    "EmailMessage.Clicked",
    "EmailMessage.Bounced",
    "EmailMessage.Dropped",
    "EmailMessage.SpamReported",
    "EmailMessage.Unsubscribed",
    "EmailMessage.Replied",
    "Organization.TrackingPolicyChanged",
    "Organization.EmailsPurged",
    "Recipient.ConsentChanged",
}


def classes_with_a_topic():
    found = set()
    for module_info in pkgutil.walk_packages(domain.__path__, "domain."):
        module = importlib.import_module(module_info.name)
        found |= {cls for cls in vars(module).values() if inspect.isclass(cls) and hasattr(cls, "TOPIC")}
    return found


def stored_classes():
    classes = classes_with_a_topic()
    refined = {base for cls in classes for base in cls.__mro__[1:]}
    return sorted(classes - refined, key=lambda cls: cls.__qualname__)


def test_a_topic_that_databases_hold_is_still_there():
    assert {fact.TOPIC for fact in FACTS} >= STORED_SINCE_0_1


def test_every_kind_of_fact_can_be_stored_and_read_back():
    assert set(FACTS) == set(get_args(AnyFact))


def test_every_stored_class_names_its_topic_itself():
    nameless = [cls.__qualname__ for cls in {*stored_classes(), *FACTS} if not vars(cls).get("TOPIC")]

    assert nameless == []


def test_no_topic_is_used_twice():
    uses = Counter(cls.TOPIC for cls in stored_classes())

    assert [topic for topic, count in uses.items() if count > 1] == []


def test_no_topic_names_a_module():
    assert [cls.TOPIC for cls in stored_classes() if cls.__module__ in cls.TOPIC or ":" in cls.TOPIC] == []
