"""Commands of an operator, as they are typed."""

import pytest

from adapters.detection_rules import UnusableRulesError
from application.ports.endpoints import UnknownOrganizationError
from application.webhook_endpoints import EndpointClosedError
from entrypoints.cli import main
from tests.support.core import item, registration
from tests.support.emails import JOB_AD, NOON, hours
from tests.support.servers import fresh_database
from tests.support.signed_deliveries import SIGNERS

GUARDED = {"user_agent": "Acme Guard 3", "ip_address": "198.51.100.7"}
SINCE = "2026-11-20"
NOBODY = "00000000-0000-4000-8000-00000000dead"
OUTGOING_URL = "https://ats.example.com/mailpulse"


def test_the_status_of_projections_says_how_far_each_read_model_is_behind(mailpulse, installation, recorded):
    recorded()
    behind = mailpulse("projections", "status", "--json")
    installation.project()
    caught_up = mailpulse("projections", "status", "--json")
    lines = mailpulse("projections", "status").output.splitlines()

    assert (behind.status, caught_up.status) == (0, 0)
    assert {state["name"]: state["lag_events"] for state in behind.json["items"]} == {
        "engagement": 2,
        "notifications": 2,
        "scores": 2,
    }
    assert {(state["lag_events"], state["lag_s"]) for state in caught_up.json["items"]} == {(0, 0.0)}
    assert [line.split()[0] for line in lines] == ["engagement", "notifications", "scores"]


def test_the_status_of_projections_names_a_rebuild(mailpulse, installation):
    installation.execute("INSERT INTO ops.read_models (name, version) VALUES ('scores@rebuild', 3)")

    states = {state["name"]: state for state in mailpulse("projections", "status", "--json").json["items"]}

    assert (states["scores@rebuild"]["rebuild_of"], states["scores@rebuild"]["is_under_way"]) == ("scores", False)
    assert states["scores"]["rebuild_of"] == ""


def test_an_empty_database_is_migrated_once(mailpulse, installation, monkeypatch):
    with fresh_database(installation.database_url) as empty:
        monkeypatch.setenv("MAILPULSE_DATABASE_URL", empty)
        refused = mailpulse("projections", "status")
        first = mailpulse("migrate")
        second = mailpulse("migrate")
        status = mailpulse("projections", "status")

    assert (refused.status, first.status, second.status, status.status) == (1, 0, 0, 0)
    applied = first.output.splitlines()
    assert "applied read model engagement" in applied
    assert all(line.startswith("applied ") for line in applied)
    assert second.output == "the database is up to date\n"


@pytest.fixture
def guarded(installation):
    """An open and a click that a gateway of one's own caused, and that the built-in rules take for a person's."""
    installation.now = NOON
    installation.register(registration("m-1"), registration("m-2"))
    installation.receive(
        item("open", NOON + hours(1), **GUARDED), item("click", NOON + hours(2), url=JOB_AD, **GUARDED)
    )
    installation.receive(item("open", NOON + hours(1), "m-2", user_agent="Firefox/142", ip_address="192.0.2.9"))
    installation.drain()
    installation.project()
    installation.now = None


def test_new_rules_are_tried_then_applied_to_what_is_kept_and_once_is_enough(
    mailpulse, guarded, installation, tmp_path
):
    (tmp_path / "detection.rules").write_text("agent gateway Acme Guard\n")

    tried = mailpulse("rejudge", "--since", SINCE, "--dry-run", "--json")
    applied = mailpulse("rejudge", "--since", SINCE)
    again = mailpulse("rejudge", "--since", SINCE, "--json")

    assert (tried.status, applied.status, again.status) == (0, 0, 0)
    assert tried.json == {"emails": 2, "changed": 1, "judgements": 2, "dry_run": True}
    assert "2 opens and clicks of 1 of them are judged differently" in applied.output
    assert again.json["changed"] == 0
    installation.project()
    assert installation.value("SELECT sum(open_count)::int FROM email_logs") == 1


def test_rules_that_cannot_be_read_judge_nothing_anew(mailpulse, guarded, installation, tmp_path):
    (tmp_path / "detection.rules").write_text("nonsense\n")
    facts = len(installation.facts())

    ended = mailpulse("rejudge", "--since", SINCE)

    assert ended.status == 1
    assert isinstance(ended.error, UnusableRulesError)
    assert len(installation.facts()) == facts


@pytest.fixture
def endpoint(mailpulse, installation):
    """An endpoint without keys, and what every command about it ends with."""
    organization = mailpulse("org", "create", "Acme", "--json").json["organization_id"]
    added = mailpulse("webhook", "add", "email", "--org", organization, "--json").json
    return added["endpoint_id"], ("--org", organization)


def test_one_key_of_an_endpoint_is_told_as_one(mailpulse, endpoint):
    endpoint_id, of_organization = endpoint
    signer = SIGNERS["email"]

    first = mailpulse("webhook", "add-key", endpoint_id, signer.key, *of_organization)
    listed = mailpulse("webhook", "list", *of_organization)
    second = mailpulse("webhook", "add-key", endpoint_id, signer.other_key, *of_organization)

    assert (first.output, second.output) == ("1 key is accepted\n", "2 keys are accepted\n")
    assert "  1 key (" in listed.output


def test_a_closed_endpoint_takes_no_key(mailpulse, endpoint):
    endpoint_id, of_organization = endpoint
    assert mailpulse("webhook", "disable", endpoint_id, *of_organization).output == "disabled\n"

    refused = mailpulse("webhook", "add-key", endpoint_id, SIGNERS["email"].key, *of_organization)
    listed = mailpulse("webhook", "list", *of_organization)

    assert (refused.status, refused.output) == (1, "")
    assert isinstance(refused.error, EndpointClosedError)
    assert "open another one with this key" in str(refused.error)
    assert "  0 keys ()  disabled" in listed.output


LISTS = [("webhook", "list"), ("key", "list"), ("outgoing-webhooks", "list")]
MAKE = {"webhook": ("add", "email"), "key": ("create", "--name", "ATS"), "outgoing-webhooks": ("add", OUTGOING_URL)}


@pytest.mark.parametrize("how", [(), ("--json",)], ids=["for people", "for programs"])
@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_a_list_of_no_organisation_is_refused_like_any_other_command(mailpulse, words, how):
    group, _ = words

    listed = mailpulse(*words, "--org", NOBODY, *how)
    changed = mailpulse(group, *MAKE[group], "--org", NOBODY, *how)

    assert (listed.status, listed.output) == (changed.status, changed.output) == (1, "")
    assert isinstance(listed.error, UnknownOrganizationError)
    assert str(listed.error) == str(changed.error)
    assert f"no organisation {NOBODY}: `mailpulse org list` names those there are" in str(listed.error)


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_a_list_of_nothing_says_so(mailpulse, installation, words):
    organization = mailpulse("org", "create", "Acme", "--json").json["organization_id"]
    installation.execute(f"DELETE FROM ops.access_tokens WHERE organization_id = '{organization}'")

    for_people = mailpulse(*words, "--org", organization)
    for_programs = mailpulse(*words, "--org", organization, "--json")

    assert (for_people.status, for_people.output) == (0, "none\n")
    assert (for_programs.status, for_programs.json) == (0, {"items": []})


def test_organisations_are_listed_the_oldest_first(mailpulse, installation):
    installation.execute("TRUNCATE ops.organizations CASCADE")
    assert mailpulse("org", "list").output == "none\n"
    first, second = (
        mailpulse("org", "create", name, "--json").json["organization_id"] for name in ("Northwind", "Acme")
    )

    for_people, for_programs = mailpulse("org", "list"), mailpulse("org", "list", "--json")

    listed = for_programs.json["items"]
    assert [(one["id"], one["name"]) for one in listed] == [(first, "Northwind"), (second, "Acme")]
    days = [one["created_at"][:10] for one in listed]
    assert for_people.output == f"{first}  {days[0]}  Northwind\n{second}  {days[1]}  Acme\n"


def test_the_refusal_is_one_line_on_stderr(mailpulse, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mailpulse", "webhook", "list", "--org", NOBODY])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"mailpulse: there is no organisation {NOBODY}: `mailpulse org list` names those there are"
    ]
