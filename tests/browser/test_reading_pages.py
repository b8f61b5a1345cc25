"""AF-1, AF-2, AF-4, UI-1, UI-2: filters, drill-downs and files, as a reader uses them."""

import csv
from datetime import UTC, datetime, timedelta

import pytest

from application.ports.access_tokens import Role
from entrypoints.web.pages.words import ago
from tests.support.page_world import CROWD, CROWD_SIZE, HOSTILE, HOSTILE_SUBJECT
from tests.support.processes import eventually
from tests.support.query_world import CAMPAIGN, NAMED_JOB, email_id

OPENS = ".tiles .tile:first-child .nothing:last-child"
POINTS = "document.querySelectorAll('figure[data-chart] svg .mark-symbol.role-mark path').length"
FILES_OF_PAGES = [
    "/",
    "/candidates",
    "/candidates?level=hot",
    "/candidates/c-1",
    "/emails",
    f"/emails?job_id={NAMED_JOB}",
    f"/emails/{email_id('named')}",
    f"/campaigns/{CAMPAIGN}",
    f"/campaigns/{CAMPAIGN}?by=url",
    "/reports",
    "/reports?status=failed",
]


@pytest.fixture
def reader(visit):
    return visit(Role.RECRUITER)


# --- filters ---


def test_choosing_a_job_shows_its_figures_at_once_and_going_back_shows_all_again(reader, world):
    reader.go("/")
    everything = shown_figures(reader)
    reader.choose("Job", f"Title {NAMED_JOB}")

    assert f"job_id={NAMED_JOB}" in reader.place
    assert shown_figures(reader) == figures_of(world, job_id=NAMED_JOB) != everything
    reader.browser.follow("history.back()")
    assert shown_figures(reader) == everything == figures_of(world)


def test_choosing_a_template_and_days_are_in_the_address_too(reader, world):
    reader.go("/")
    reader.choose("Template", "Invitation")
    assert "template_id=t-1" in reader.place
    assert shown_figures(reader) == figures_of(world, template_id="t-1")
    reader.fill("From", "2020-01-01")
    reader.fill("To", "2020-01-31")
    reader.follow("Show")

    assert "from=2020-01-01&to=2020-01-31" in reader.place
    assert "Nothing was sent in these days" in reader.text()


def test_what_happened_in_the_days_and_what_machines_did_are_switches(reader, world):
    reader.go("/")
    reader.follow("What happened in these days")
    assert shown_figures(reader) == figures_of(world, basis="activity")
    reader.follow("Count machines too")

    assert shown_figures(reader) == figures_of(world, basis="activity", include="automated")
    assert shown_figures(reader) != figures_of(world, basis="activity")


def test_days_in_the_wrong_order_are_said_to_be(reader):
    reader.go("/")
    reader.fill("From", "2026-05-02")
    reader.fill("To", "2026-05-01")
    reader.follow("Show")

    assert "from" in reader.text().lower()
    assert "422" in reader.complaints()[0]


def test_the_chart_has_a_point_for_each_figure_of_its_table(reader):
    reader.go("/")

    assert reader.comes(f"{POINTS} > 0")
    days = reader.run("document.querySelectorAll('table.figures tbody tr').length")
    without_mail = reader.texts("table.figures td[data-label=Sent]").count("0")
    assert reader.run(POINTS) == 2 * (days - without_mail)


def test_a_tile_leads_to_its_chart_and_back_and_filters_keep_it(reader):
    reader.go("/")
    reader.follow("Reply rate")
    assert reader.text("#over-time") == "Reply rate over time"
    assert reader.comes(f"{POINTS} > 0")
    reader.choose("Job", f"Title {NAMED_JOB}")
    assert reader.text("#over-time") == "Reply rate over time"
    reader.follow("Reply rate")

    assert reader.text("#over-time") == "Engagement over time"
    assert "tile" not in reader.place


def test_levels_filter_candidates_and_count_them(reader):
    reader.go("/candidates")
    tabs = dict(tab.rsplit(" ", 1) for tab in reader.texts("nav.tabs a"))
    for level in ("Hot", "Warm", "Cold"):
        reader.follow(f"{level} {tabs[level]}", "nav.tabs")
        assert len(reader.texts("tbody tr")) == int(tabs[level])
        assert all(level in badge for badge in reader.texts("tbody .badge"))


@pytest.mark.parametrize("path", ["/candidates", "/candidates/c-1", f"/campaigns/{CAMPAIGN}"])
def test_machines_are_counted_when_asked_for_and_left_out_again(path, reader):
    reader.go(path)
    without = reader.text()
    reader.follow("Count machines too")
    assert reader.place.endswith("include=automated")
    assert reader.text() != without
    reader.follow("Leave machines out")

    assert reader.text() == without


def test_long_lists_go_on_and_end(visit):
    visitor = visit(Role.RECRUITER, CROWD)
    for path, on in (("/candidates", "Next candidates"), ("/emails", "Older emails")):
        visitor.go(path)
        names = visitor.texts("tbody th")
        visitor.follow(on)
        names += visitor.texts("tbody th")

        assert len(set(names)) == len(names) == CROWD_SIZE


# --- drill-downs ---


def test_from_the_dashboard_down_to_one_candidate_and_back(reader):
    reader.go("/")
    reader.run("document.querySelector('.top a').id = 'first'; true")
    reader.browser.follow("document.querySelector('#first').click()")
    assert reader.place == f"/campaigns/{CAMPAIGN}"
    reader.follow("By address")
    assert "by=url" in reader.place
    reader.follow("All emails of this campaign")
    assert reader.place == f"/emails?campaign_id={CAMPAIGN}"
    reader.follow("Subject named")
    assert reader.place == f"/emails/{email_id('named')}"
    assert "automatic" in reader.text("details summary")
    reader.browser.follow("document.querySelector('.lead a').click()")
    assert reader.place == "/candidates/c-1"
    reader.follow("Subject named")
    assert reader.place == f"/emails/{email_id('named')}"


def test_from_a_campaign_to_its_dashboard_and_on_to_all(reader, world):
    reader.go(f"/campaigns/{CAMPAIGN}")
    reader.follow("Dashboard of this campaign")
    assert shown_figures(reader) == figures_of(world, campaign_id=str(CAMPAIGN))
    reader.follow("all campaigns")

    assert shown_figures(reader) == figures_of(world)


def test_from_the_dashboard_to_one_template(reader, world):
    reader.go("/")
    reader.follow("Invitation")

    assert "template_id=t-1" in reader.place
    assert shown_figures(reader) == figures_of(world, template_id="t-1")


def test_hostile_words_are_words_and_lead_where_they_should(reader):
    reader.go("/emails")
    reader.follow(HOSTILE_SUBJECT)
    assert reader.text("h1") == HOSTILE_SUBJECT
    assert reader.run("document.title") != "taken over"
    reader.browser.follow("document.querySelector('.lead a').click()")

    assert HOSTILE in reader.text("h1")
    assert reader.run("document.querySelectorAll('main i, main b, main script').length") == 0


# --- times ---


def test_times_go_on_in_the_words_of_the_server(reader):
    reader.go("/emails")
    shown = reader.run(TIMES)
    reader.run(f"({LATER})(0)")
    assert reader.run(TIMES) == shown
    moment = datetime(2026, 5, 4, tzinfo=UTC)
    reader.run(f"for (const one of document.querySelectorAll('main time')) one.dateTime = '{moment.isoformat()}'")

    for age in AGES:
        since = reader.run("Date.now()") / 1000 - moment.timestamp()
        reader.run(f"({LATER})({age.total_seconds() - since})")
        assert set(reader.run(TIMES)) == {ago(moment, moment + age)}, age


@pytest.mark.parametrize("path", ["/candidates", "/candidates/c-1", "/emails", f"/emails/{email_id('named')}"])
@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_moves_when_times_go_on(path, width, reader):
    reader.browser.look_like(width=width)
    reader.go(path)
    reader.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    before, shown = reader.run(PLACES), reader.run(TIMES)
    reader.run(f"({LATER})({timedelta(hours=22).total_seconds()})")

    assert reader.run(TIMES) != shown
    assert reader.run(PLACES) == before


TIMES = "[...document.querySelectorAll('main time[title]')].map(one => one.textContent)"
LATER = """seconds => { const at = Date.now() + 1000 * seconds; Date.now = () => at;
    document.dispatchEvent(new Event('visibilitychange')); }"""
PLACES = """JSON.stringify([...document.querySelectorAll('main a, main td, main li, main p')]
    .map(one => one.getBoundingClientRect()))"""
AGES = [
    *(timedelta(minutes=one) for one in (-1.5, -0.5, 0.5, 1.5, 59.5, 60.5)),
    *(timedelta(hours=one) for one in (1.9, 2.1, 23.9, 24.1, 47.9, 48.1)),
    *(timedelta(days=one) for one in (59.9, 60.1, 89.9, 90.1, 729.9, 730.1, 1094.9, 1095.1, 4000)),
]
"""On both sides of where the words change; half a minute from it, for a page takes a while to load."""


# --- files ---


@pytest.mark.parametrize("path", FILES_OF_PAGES)
def test_every_file_of_a_page_holds_just_what_the_page_shows(path, visitor, tmp_path):
    assert_files_hold_what_is_shown(path, visitor, tmp_path)


def test_every_file_of_settings_holds_just_what_the_page_shows(visitor, world, tmp_path):
    world.api("POST", "/api-keys", json={"name": "Files"})
    hook = world.api("POST", "/outgoing-webhooks", json={"url": "https://ats.example.com/files"})["webhook"]
    world.api("POST", f"/outgoing-webhooks/{hook['webhook_id']}/test")

    for path in ("/settings/keys", "/settings/outgoing", f"/settings/outgoing/{hook['webhook_id']}"):
        assert_files_hold_what_is_shown(path, visitor, tmp_path)


def assert_files_hold_what_is_shown(path, visitor, tmp_path):
    visitor.browser.keep_downloads_in(tmp_path)
    visitor.go(path)
    visitor.run("for (const one of document.querySelectorAll('details')) one.open = true")
    names = visitor.texts("a[download]")
    assert names
    for name in names:
        shown = visitor.run(f"({ROWS_BEFORE})({name!r})")
        assert len(rows_of(downloaded(visitor, name, tmp_path))) == shown, name


ROWS_BEFORE = """name => {
    const link = [...document.querySelectorAll('a[download]')].find(one => one.textContent.trim() === name);
    const part = link.closest('details, section') || document.querySelector('main');
    return part.querySelectorAll('tbody tr, .top li, .timeline li').length;
}"""


def downloaded(visitor, name, directory):
    for old in directory.iterdir():
        old.unlink()
    visitor.press_link(name)
    # Until all of it is there, Chromium has a file of its own beside it.
    assert eventually(lambda: [one.suffix for one in directory.iterdir()] == [".csv"], 60), name
    (file,) = directory.iterdir()
    return file


def rows_of(file):
    with file.open(newline="", encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def shown_figures(visitor):
    """Numerators and rates of the tiles."""
    return visitor.texts(".tiles .value"), [words.split()[0] for words in visitor.texts(".tiles p:last-child")]


def figures_of(world, **filters):
    answer = world.api("GET", "/dashboard", params=filters)
    rates = ("open_rate", "click_rate", "click_to_open_rate", "reply_rate", "bounce_rate")
    counts = ("opened", "clicked", "clicked", "replied", "bounced")
    shown = [answer["tiles"][name]["value"] for name in rates]
    return (
        ["n/a" if one is None else f"{one:.1f} %" for one in shown],
        [f"{answer['totals'][name]:,}" for name in counts],
    )
