"""The time of day, given from outside so that every rule can be tried at any moment."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives aware UTC."""
