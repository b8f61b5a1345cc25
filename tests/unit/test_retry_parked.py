import pytest

from application.drain_inbox import BACKOFF
from application.ports.unit_of_work import StoreUnavailableError
from application.retry_parked import RetryOutcome, UnknownParkedReportError
from application.transactions import RERUNS_AFTER_CONFLICT
from tests.support.core import item, registration
from tests.support.drain_scene import POISON, DrainScene
from tests.support.emails import ACME, GLOBEX, hours, seconds


@pytest.fixture
def scene():
    scene = DrainScene()
    scene.register()
    return scene


def set_aside_poison(scene):
    scene.receive(body=POISON)
    for wait in (0, *BACKOFF):
        scene.now += seconds(wait)
        scene.drain.drain_all()
    [report_id] = scene.store.parked
    return report_id


def test_what_a_mended_version_understands_is_processed(scene):
    report_id = set_aside_poison(scene)
    scene.provider.is_mended = True

    assert scene.retry(ACME, report_id) is RetryOutcome.PROCESSED
    assert scene.store.parked == {}


def test_what_we_still_stumble_over_is_kept(scene):
    report_id = set_aside_poison(scene)

    assert scene.retry(ACME, report_id) is RetryOutcome.STILL_FAILED
    assert scene.parked() == [("failed", 1)]
    assert next(iter(scene.store.parked.values())).report.body == POISON


def test_what_is_still_wrong_is_kept_with_todays_reason(scene):
    scene.receive(item("open", scene.now + hours(25)))
    scene.drain.drain_all()
    [report_id] = scene.store.parked

    assert scene.retry(ACME, report_id) is RetryOutcome.STILL_FAILED
    assert scene.parked() == [("failed", 1)]


def test_a_report_from_the_future_is_processed_once_its_time_is_believable(scene):
    scene.receive(item("open", scene.now + hours(25)))
    scene.drain.drain_all()
    [report_id] = scene.store.parked
    scene.now += hours(2)

    assert scene.retry(ACME, report_id) is RetryOutcome.PROCESSED
    assert scene.kinds() == ["Sent", "Opened"]


def test_an_orphan_whose_email_is_still_unknown_stays(scene):
    scene.receive(item("open", message_id="m-2"))
    scene.drain.drain_all()
    [report_id] = scene.store.parked

    assert scene.retry(ACME, report_id) is RetryOutcome.STILL_ORPHANED
    assert scene.parked() == [("orphaned", 1)]


def test_an_orphan_whose_email_is_known_by_now_is_recorded(scene):
    scene.receive(item("open", message_id="m-2"))
    with scene.units.begin() as slow_drain:
        scene.drain.process(slow_drain, slow_drain.claim_deliveries(most=1, most_bytes=1))
        scene.register(registration("m-2"))
    [report_id] = scene.store.parked

    assert scene.retry(ACME, report_id) is RetryOutcome.PROCESSED
    assert scene.kinds() == ["Sent", "Sent", "Opened"]


def test_a_failed_report_that_turns_out_to_be_an_orphan_is_kept_as_one(scene):
    scene.receive(item("open", scene.now + hours(25), message_id="m-2"))
    scene.drain.drain_all()
    [report_id] = scene.store.parked
    scene.now += hours(2)

    assert scene.retry(ACME, report_id) is RetryOutcome.STILL_ORPHANED
    assert scene.parked() == [("orphaned", 1)]


def test_another_organisations_report_does_not_exist(scene):
    report_id = set_aside_poison(scene)

    with pytest.raises(UnknownParkedReportError, match=str(report_id)):
        scene.retry(GLOBEX, report_id)
    assert scene.parked() == [("failed", 1)]


def test_a_retry_that_never_gets_its_turn_changes_nothing(scene):
    scene.receive(item("open", scene.now + hours(25)))
    scene.drain.drain_all()
    [report_id] = scene.store.parked
    scene.now += hours(2)
    scene.units.rivals = RERUNS_AFTER_CONFLICT

    with pytest.raises(StoreUnavailableError):
        scene.retry(ACME, report_id)
    assert scene.parked() == [("failed", 1)]
