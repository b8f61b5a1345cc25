"""The rules that come with the product."""

from functools import cache
from importlib.resources import files

from domain.policies.detection.rule_file import parse_rules
from domain.policies.detection.rules import DetectionRules


@cache
def built_in_rules() -> DetectionRules:
    """Read the list beside this module; the crawlers' patterns are the caller's to add."""
    return parse_rules(files(__package__).joinpath("built_in.rules").read_text(encoding="utf-8"))
