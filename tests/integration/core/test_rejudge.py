"""`mailpulse rejudge`: today's rules on what is kept."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from adapters.detection_rules import UnusableRulesError
from adapters.postgres.engaged_emails import PostgresEngagedEmails
from application.ports.endpoints import UnknownOrganizationError
from application.rejudge import Rejudge
from domain.policies.detection.built_in import built_in_rules
from domain.policies.detection.detection import BUILT_IN, Detection
from domain.policies.detection.rule_file import parse_rules
from entrypoints.bootstrap import Backend
from tests.support.core import item, registration
from tests.support.emails import GLOBEX, JOB_AD, NOON, days, hours

STRICTER = Detection(built_in_rules().with_more(parse_rules("agent gateway Acme Guard\n192.0.2.0/24 clicks certain")))
GUARDED = {"user_agent": "Acme Guard 3", "ip_address": "198.51.100.7"}


@pytest.fixture
def rejudge(core):
    def judge_by(detection, *arguments, **options):
        emails = PostgresEngagedEmails(core.backend._datastore)
        return Rejudge(core.units, emails, core.backend.clock, lambda: detection)(*arguments, **options)

    return judge_by


def counts(core):
    return core.row(
        "SELECT sum(open_count)::int AS opens, sum(click_count)::int AS clicks,"
        " sum(machine_open_count)::int AS machine_opens, sum(scanner_click_count)::int AS scanner_clicks"
        " FROM email_logs"
    )


@pytest.fixture
def told(core):
    core.register(registration("m-1"), registration("m-2"))
    core.receive(item("open", NOON + hours(1), **GUARDED), item("click", NOON + hours(2), url=JOB_AD, **GUARDED))
    core.receive(item("click", NOON + hours(3), "m-2", url=JOB_AD, ip_address="192.0.2.9", user_agent="Firefox/142"))
    core.drain()
    core.project()


def test_new_rules_judge_what_is_kept_and_once_is_enough(core, told, rejudge):
    before = len(core.facts())

    found = rejudge(STRICTER, NOON - days(1))
    core.project()

    assert (found.of, found.emails, found.changed, found.judgements) == (2, 2, 2, 3)
    assert counts(core) == {"opens": 0, "clicks": 0, "machine_opens": 1, "scanner_clicks": 2}
    assert len(core.facts()) == before + 2
    again = rejudge(STRICTER, NOON - days(1))
    assert (again.emails, again.changed) == (2, 0)
    assert len(core.facts()) == before + 2


def test_the_old_rules_undo_it(core, told, rejudge):
    at_first = counts(core)
    rejudge(STRICTER, NOON - days(1))
    rejudge(BUILT_IN, NOON - days(1))
    core.project()

    assert counts(core) == at_first


def test_a_dry_run_only_says_what_would_change(core, told, rejudge):
    before = len(core.facts())

    found = rejudge(STRICTER, NOON - days(1), dry_run=True)

    assert (found.changed, found.judgements) == (2, 3)
    assert len(core.facts()) == before


def test_only_what_was_told_since_and_only_the_organisations_own(core, told, rejudge):
    core.execute("INSERT INTO ops.organizations (id, name) VALUES (%s, 'Globex') ON CONFLICT DO NOTHING", GLOBEX)

    assert rejudge(STRICTER, NOON + days(1)).emails == 0
    assert rejudge(STRICTER, NOON - days(1), GLOBEX).emails == 0


def test_progress_is_told(core, told, rejudge):
    seen = []

    rejudge(STRICTER, NOON - days(1), progress=lambda so_far: seen.append((so_far.emails, so_far.of)))

    assert seen == [(2, 2)]


def test_of_who_is_erased_the_verdict_stays(core, told, rejudge):
    rejudge(STRICTER, NOON - days(1))
    core.execute("DELETE FROM ops.recipient_keys")

    assert rejudge(BUILT_IN, NOON - days(1)).changed == 0


def test_an_organisation_that_does_not_exist_is_named(rejudge):
    with pytest.raises(UnknownOrganizationError, match=str(UUID(int=7))):
        rejudge(STRICTER, NOON - days(1), UUID(int=7))


def test_nothing_is_judged_anew_while_the_operators_rules_cannot_be_read(core, tmp_path):
    path = tmp_path / "detection.rules"
    path.write_text("nonsense\n", encoding="utf-8")
    backend = Backend(replace(core.backend.settings, detection_rules=path))

    with pytest.raises(UnusableRulesError, match="line 1"):
        backend.rejudge(NOON - days(1))
