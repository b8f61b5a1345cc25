import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import psycopg
import pytest

from adapters.postgres import rebuild as rebuild_module
from adapters.postgres.rebuild import RebuildRefusedError
from application.email_registrations import Recipient
from domain.tracking_terms import TrackingPolicy, TrackingTerms
from domain.values import Verdict
from entrypoints.bootstrap import rebuildable_read_models
from read_models.engagement.view import Totals
from read_models.runner import StandingByError
from read_models.scores import projection as scores
from tests.support.batches import catch_up, take_in_batches_of
from tests.support.core import Core, item, registration
from tests.support.emails import ACME, CAMPAIGN, JOB_AD, NOON, click, hours, minutes, seconds
from tests.support.storages import PostgresStorage

EMAILS = 40
JANE = Recipient(id="c-2", email="jane@example.com", name="Jane Doe")
BY_JANE = {"recipient": JANE.email, "url": JOB_AD, "ip_address": "198.51.100.7", "user_agent": "Jane's own browser"}
SMALLER_SUMS = {
    "organization_totals": "organization_id, sent_quarter",
    "mailing_totals": "organization_id, (sent_quarter AT TIME ZONE 'UTC')::date, campaign_id, template_id",
}
PRIVATE = TrackingTerms(TrackingPolicy(privacy_mode=True))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    take_in_batches_of(50, monkeypatch)
    monkeypatch.setattr(scores, "CANDIDATES_AT_ONCE", 3)


@pytest.fixture
def served(lone_core):
    """A database with a history of every kind of fact, taken in batch by batch as it happened."""
    lone_core.register_numbered(EMAILS, campaign_id=CAMPAIGN)
    for start in (0, 300):
        lone_core.register(*(registration(f"j-{start + n}", recipient=JANE, campaign_id=CAMPAIGN) for n in range(3)))
        lone_core.receive_many([some_history(start), [item("open", message_id="m-1", event_id=f"o-{start}")]])
        lone_core.receive(*(item("click", NOON + minutes(start), f"j-{n}", **BY_JANE) for n in (0, 1, start)))
        lone_core.drain()
        lone_core.project()
        change_minds(lone_core, Random(start))
        lone_core.project()
    return lone_core


def change_minds(core, random):
    """Judge anew, withhold, erase."""
    storage = PostgresStorage(core)
    for n in range(1, EMAILS + 1, 3):
        storage.record(click(NOON + hours(n), message_id=f"m-{n}"), message_id=f"m-{n}", terms=PRIVATE)
        seen = sorted(storage.history(f"m-{n}").seen)
        storage.judge_anew(random.choice([*Verdict]), *random.sample(seen, min(3, len(seen))), message_id=f"m-{n}")
    core.backend.erase_recipient(ACME, JANE.email)


def some_history(start, how_many=300):
    kinds = ["dropped", "open", "click", "delivered", "bounce", "reply", "unsubscribe", "spam", "deferred"]
    told = []
    for n in range(start, start + how_many):
        report = item(kinds[n % len(kinds)], NOON + seconds(n * 7), f"m-{1 + n * 13 % EMAILS}")
        told.append(report | {"url": JOB_AD, "link_position": str(n % 3)} if n % len(kinds) == 2 else report)
    return told


def quietly(*_):
    """Nobody watches the progress."""


@pytest.mark.parametrize("name", rebuildable_read_models())
def test_a_rebuild_gives_identical_rows(served, name):
    before = served.dump()

    folded = served.backend.rebuild(name, quietly)

    assert folded >= 600 + EMAILS
    assert served.dump() == before
    assert sum(map(len, before.values())) > 1_000


@pytest.mark.parametrize("table, key", SMALLER_SUMS.items())
def test_the_smaller_sums_are_those_of_the_large_ones(served, table, key):
    """Batch by batch as it happened: whatever was judged anew, withheld or erased meanwhile."""
    names = served.query("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", table)
    fields = [name for (name,) in names if name in Totals.__struct_fields__]
    columns = ", ".join(name for (name,) in names if name not in fields)
    sums = ", ".join(f"sum({name})::bigint" for name in fields)

    kept = served.query(f"SELECT {columns}, {', '.join(fields)} FROM {table} ORDER BY {columns}")

    assert kept == served.query(f"SELECT {key}, {sums} FROM email_totals GROUP BY {key} ORDER BY {key}")
    assert sum(row[-1] for row in kept), "else this shows nothing"


def test_who_was_erased_is_in_no_row_before_or_after_a_rebuild(served):
    assert "Jane" not in str(served.dump())
    assert served.value("SELECT sum(click_count) FROM email_logs WHERE recipient_id = 'c-2'") == 5

    served.backend.rebuild("engagement", quietly)

    assert "jane" not in str(served.dump()).lower()
    assert served.value("SELECT sum(click_count) FROM email_logs WHERE recipient_id = 'c-2'") == 5


def test_who_is_erased_while_a_rebuild_runs_is_in_no_row_after_it(served):
    ann = Recipient(id="c-3", email="ann@example.com", name="Ann Doe")
    served.register(*(registration(f"a-{n}", recipient=ann) for n in range(3)))
    served.receive(*(item("open", NOON + hours(n), event_id=f"later-{n}") for n in range(200)))
    served.drain()
    served.project()
    seen = []

    def erase_meanwhile(*_):
        if not seen and served.value(
            "SELECT count(*) FROM rebuild_engagement.email_logs WHERE recipient_name = %s", ann.name
        ):
            seen.append(served.backend.erase_recipient(ACME, ann.email))

    served.backend.rebuild("engagement", erase_meanwhile)

    assert len(seen) == 1
    assert "Ann" not in str(served.dump("candidate_scores"))
    served.project()
    assert "Ann" not in str(served.dump())
    assert served.value("SELECT count(*) FROM email_logs WHERE recipient_id = 'c-3' AND erased_by IS NOT NULL") == 3


def test_a_rebuild_tells_how_far_it_is(served):
    told = []

    served.backend.rebuild("engagement", lambda position, newest: told.append((position, newest)))

    newest = served.value("SELECT max(notification_id) FROM events.stored_events")
    assert [position for position, _ in told] == sorted(position for position, _ in told)
    assert told[-1] == (newest, newest)


def test_rows_are_served_and_written_while_a_rebuild_runs(served):
    stop = threading.Event()

    def project_until_told():
        projector = Core(served.database_url)
        models = projector.backend.read_models()
        while not stop.is_set():
            try:
                catch_up(models)
            except StandingByError:
                stop.wait(0.01)
        projector.close()

    def write_until_told():
        writer = Core(served.database_url)
        n = 0
        while not stop.is_set() or n < 5:
            n += 1
            writer.receive(
                *(item("open", NOON + seconds(n), f"m-{1 + k}", event_id=f"live-{n}-{k}") for k in range(20))
            )
            writer.drain()
        writer.close()
        return n * 20

    with ThreadPoolExecutor(2) as pool:
        projecting, writing = pool.submit(project_until_told), pool.submit(write_until_told)
        try:
            served.backend.rebuild("engagement", quietly)
            served.backend.rebuild("engagement", quietly)
            least = served.value("SELECT count(*) FROM email_logs")
        finally:
            stop.set()
        projecting.result()
        written = writing.result()
    served.project()

    assert least == EMAILS + 6
    live = served.value(
        "SELECT (SELECT count(*) FROM email_engagement_events WHERE event_type = 'open' AND id > 0)"
        " + (SELECT count(*) FROM automated_engagement WHERE event_type = 'opened')"
    )
    assert live == served.value("SELECT count(*) FROM events.stored_events WHERE topic = 'EmailMessage.Opened'")
    assert written >= 100
    kept = served.dump()
    served.backend.rebuild("engagement", quietly)
    assert served.dump() == kept


class PulledPlugError(BaseException):
    """Ends a rebuild anywhere."""


def test_an_interrupted_rebuild_leaves_the_old_rows_and_the_next_one_succeeds(served):
    before = served.dump()

    def interrupt(position, newest):
        if position < newest:
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        served.backend.rebuild("engagement", interrupt)
    assert served.dump() == before
    served.receive(item("reply", NOON + seconds(9_999)))
    served.drain()
    served.project()

    served.backend.rebuild("engagement", quietly)

    assert served.value("SELECT count(*) FROM email_engagement_events WHERE event_type = 'reply'") > 0
    assert served.query("SELECT name FROM ops.read_models ORDER BY name") == [
        ("engagement",),
        ("notifications",),
        ("scores",),
    ]
    assert served.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuild%'") == []


def test_a_rebuild_takes_in_what_was_poison_before_it_was_mended(served):
    rename = "UPDATE events.stored_events SET topic = %s WHERE notification_id = %s"
    place = served.value("SELECT min(notification_id) FROM events.stored_events WHERE topic = 'EmailMessage.Replied'")
    served.execute(rename, "EmailMessage.Replied.v9", place)
    served.backend.rebuild("engagement", quietly)
    assert served.query(
        "SELECT read_model, notification_id FROM ops.poison_events WHERE read_model = 'engagement'"
    ) == [("engagement", place)]
    served.execute(rename, "EmailMessage.Replied", place)

    served.backend.rebuild("engagement", quietly)

    assert served.query("SELECT * FROM ops.poison_events WHERE read_model = 'engagement'") == []
    assert served.value("SELECT count(*) FROM email_engagement_events WHERE id = %s", place) == 1


def test_somebodys_view_on_the_tables_is_named_and_nothing_is_changed(served):
    before = served.dump()
    served.execute("CREATE VIEW my_report AS SELECT count(*) FROM engagement_tracking")

    with pytest.raises(RebuildRefusedError, match=r"drop them, rebuild, create them again.*my_report"):
        served.backend.rebuild("engagement", quietly)

    assert served.dump() == before
    served.execute("DROP VIEW my_report")
    served.backend.rebuild("engagement", quietly)
    assert served.dump() == before


def test_two_rebuilds_of_the_same_read_model_do_not_meet(served):
    refused = []

    def try_too(*_):
        if not refused:
            with pytest.raises(RebuildRefusedError, match="somebody else") as refusal:
                served.backend.rebuild("engagement", quietly)
            refused.append(refusal)

    served.backend.rebuild("engagement", try_too)

    assert len(refused) == 1


def test_tables_in_long_use_are_named_and_nothing_is_changed(served, monkeypatch):
    monkeypatch.setattr(rebuild_module, "LOCK_TIMEOUT_S", 1)
    monkeypatch.setattr(rebuild_module, "SWAP_ATTEMPTS", 1)
    before = served.dump()
    with psycopg.connect(served.database_url) as somebody:
        somebody.execute("SELECT count(*) FROM email_logs")
        with pytest.raises(RebuildRefusedError, match="end long queries"):
            served.backend.rebuild("engagement", quietly)

    assert served.dump() == before


def test_the_walls_between_organisations_stand_after_a_rebuild(served):
    served.backend.rebuild("engagement", quietly)

    policies = served.query("SELECT tablename, count(*) FROM pg_policies WHERE schemaname = 'public' GROUP BY 1")
    assert {table for table, count in policies if count == 2} >= {"email_logs", "engagement_tracking", "email_links"}
    assert (
        served.query(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            " AND NOT relforcerowsecurity"
        )
        == []
    )
