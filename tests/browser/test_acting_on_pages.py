"""Signing in and out, settings, reports and keys of the keyboard: what people do on pages."""

import pytest

from application.fingerprints import fingerprint_of
from application.ports.access_tokens import Role
from tests.support.query_world import MANAGER, NAMED_JOB, OURS
from tests.support.signed_deliveries import SIGNERS

# Both at once: however slow the machine is, they are one after the other within the time that they have.
QUICKLY_G_C = """for (const key of ['g', 'c']) {
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
}"""
FOCUS = "getComputedStyle(document.activeElement)"


def test_a_link_signs_in_once_and_brings_the_zone_of_the_browser(stranger, world):
    stranger.browser.live_in("Europe/Berlin")
    link = world.link(Role.RECRUITER)
    stranger.browser.go(link)
    stranger.follow("Sign in")

    assert stranger.place == "/"
    assert stranger.run("document.querySelector('input[name=tz]').value") == "Europe/Berlin"
    stranger.browser.go(link)
    stranger.follow("Sign in")
    assert "You are not signed in" in stranger.text()
    assert "401" in stranger.complaints()[0]


def test_signing_out_ends_it(stranger, world):
    stranger.browser.go(world.link(Role.HIRING_MANAGER, OURS, MANAGER))
    stranger.follow("Sign in")
    stranger.follow("Sign out", "header")
    assert stranger.place.startswith("/login")
    stranger.go("/candidates")

    assert "Sign in to Mailpulse" in stranger.text()
    stranger.complaints()


def test_times_are_in_the_zone_that_a_visitor_chooses_wherever_they_are(visitor):
    visitor.go("/emails")
    visitor.fill("Times are in", "America/New_York")
    visitor.follow("Change zone", "footer")

    assert visitor.place == "/emails"
    assert visitor.run("document.querySelector('main time').title").endswith("America/New_York")


def test_an_orphan_is_tried_again_and_goes_on_waiting(visitor):
    visitor.go("/reports")
    visitor.follow("Orphaned", "nav.tabs")
    assert len(visitor.texts("tbody tr")) == 1
    visitor.browser.follow("document.querySelector('tbody button').click()")

    assert "still not registered" in visitor.text(".note")


def test_a_setting_is_kept(visitor, world):
    visitor.go("/settings/tracking")
    visitor.fill("Keep emails for, in days", "800")
    visitor.follow("Save")

    assert visitor.text(".note").startswith("Saved")
    assert world.api("GET", "/tracking-policy")["retention_days"] == 800


def test_less_time_is_asked_about_once_more(visitor, world):
    days = world.api("GET", "/tracking-policy")["retention_days"]
    visitor.go("/settings/tracking")
    visitor.fill("Keep emails for, in days", str(days - 1))
    visitor.follow("Save")
    assert world.api("GET", "/tracking-policy")["retention_days"] == days
    visitor.follow("Leave everything as it is")

    assert visitor.place == "/settings/tracking"
    assert world.api("GET", "/tracking-policy")["retention_days"] == days


def test_a_key_is_shown_once_works_and_is_revoked_after_a_question(visitor, world):
    visitor.go("/settings/keys")
    visitor.fill("Name", "Reporting")
    visitor.follow("Create key")
    assert visitor.text("section.note pre").startswith("mp_key_")
    visitor.go("/settings/keys")
    assert "mp_key_" not in visitor.text()
    visitor.follow("Revoke Reporting")
    visitor.browser.follow("document.querySelector('main form button').click()")

    (key,) = [one for one in world.api("GET", "/api-keys")["items"] if one["name"] == "Reporting"]
    assert key["revoked_at"]


def test_an_endpoint_is_opened_with_its_steps_and_closed_after_a_question(visitor, world):
    visitor.go("/settings/webhooks")
    visitor.fill("Provider", "Amazon SES")
    visitor.follow("Open endpoint")
    opened = "#" + visitor.run("[...document.querySelectorAll('.endpoint')].find(one => /SES/.test(one.innerText)).id")
    assert "/webhooks/ses/" in visitor.text(f"{opened} pre")
    assert "Create an SNS topic" in visitor.text(f"{opened} details[open]")
    visitor.follow("Close this endpoint", within=opened)
    visitor.browser.follow("document.querySelector('main form button').click()")

    assert visitor.place.startswith("/settings/webhooks")
    assert "No provider is connected" in visitor.text() or "Amazon SES" in visitor.text("main > ul.timeline")


def test_a_verification_key_is_replaced_by_forms(visitor, world):
    old, new = SIGNERS["email"].key, SIGNERS["email"].other_key
    endpoint = world.api("POST", "/webhook-endpoints", json={"provider": "email", "keys": [old]})["endpoint_id"]
    section = f"#endpoint-{endpoint}"
    visitor.go("/settings/webhooks")
    visitor.run(f"document.querySelector('{section} input[name=key]').value = '{new}'")
    visitor.follow("Add key", within=section)
    assert "2 keys" in visitor.text(section)
    visitor.follow(f"Remove the key {fingerprint_of(old)}", within=section)
    assert "The other key stays good" in visitor.text("main")
    visitor.browser.follow("document.querySelector('main form button').click()")

    assert fingerprint_of(new) in visitor.text(section)
    assert fingerprint_of(old) not in visitor.text(section)


# --- the keyboard ---


def test_keys_lead_to_places_unless_they_are_switched_off(visitor):
    visitor.go("/")
    visitor.run(QUICKLY_G_C)
    assert visitor.comes("location.pathname === '/candidates' && document.readyState === 'complete'")
    visitor.press("?")
    assert visitor.comes("location.pathname === '/help' && document.readyState === 'complete'")
    visitor.press_button("Switch keys off in this browser")
    visitor.run(QUICKLY_G_C)
    visitor.press_button("Switch keys on in this browser")
    assert visitor.place == "/help"
    visitor.go("/")
    visitor.press("/")

    assert visitor.run("document.activeElement.name") == "from"


@pytest.mark.parametrize("path", ["/", "/candidates", "/settings/webhooks"])
def test_the_first_tab_skips_to_the_content_and_whatever_has_the_focus_is_framed(path, visitor):
    visitor.go(path)
    visitor.press("Tab")
    assert visitor.run("document.activeElement.textContent") == "Skip to content"
    for _ in range(12):
        assert visitor.run(f"{FOCUS}.outlineStyle") == "solid"
        assert visitor.run(f"parseFloat({FOCUS}.outlineWidth)") >= 2
        assert visitor.run("document.activeElement.getBoundingClientRect().right > 0")
        visitor.press("Tab")


# --- without JavaScript ---


def test_without_javascript_tables_stand_for_charts_and_forms_filter(visitor):
    with visitor.browser.without_scripts():
        visitor.go("/")
        assert not visitor.run("document.querySelector('figure[data-chart]').checkVisibility()")
        assert visitor.run("document.querySelector('table.figures tbody').children.length") > 0
        visitor.fill("From", "2020-01-01")
        visitor.fill("To", "2020-01-31")
        visitor.follow("Show")

        assert "from=2020-01-01" in visitor.place
        assert "Nothing was sent in these days" in visitor.text()


def test_without_javascript_a_job_is_found_by_name_for_the_same_days(visitor):
    with visitor.browser.without_scripts():
        visitor.go("/jobs?from=2020-01-01&to=2020-01-31")
        visitor.fill("Name or id", f"title {NAMED_JOB}".upper())
        visitor.follow("Find")
        visitor.follow(f"Title {NAMED_JOB}")

        assert visitor.place == f"/?from=2020-01-01&to=2020-01-31&job_id={NAMED_JOB}"
        assert "Nothing was sent in these days" in visitor.text()
