import pytest

from application.email_registrations import Job
from application.find_registration import IsRegistered
from tests.support.core import registration
from tests.support.drain_scene import DrainScene
from tests.support.emails import ACME, GLOBEX, email_id


@pytest.fixture
def scene():
    return DrainScene()


def test_a_registered_email_is_found_by_its_organisation_alone(scene):
    scene.register(registration())
    is_registered = IsRegistered(scene.units)

    assert is_registered(ACME, email_id())
    assert not is_registered(GLOBEX, email_id())
    assert not is_registered(ACME, email_id("m-2"))


def test_a_hiring_manager_finds_an_email_about_a_job_that_names_them(scene):
    scene.register(registration("mine", job=Job(id="j-1", hiring_manager_id="h-1")))
    scene.register(registration("another's", job=Job(id="j-2", hiring_manager_id="h-2")))
    scene.register(registration("nobody's"))
    is_registered = IsRegistered(scene.units)

    found = [is_registered(ACME, email_id(name), hiring_manager_id="h-1") for name in ("mine", "another's", "nobody's")]

    assert found == [True, False, False]
