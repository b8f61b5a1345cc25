"""Every scenario of every feature file; the steps are in ``steps``."""

from pytest_bdd import scenarios

scenarios(".")
