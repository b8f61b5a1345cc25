"""What a browser makes of a notification: the toast of UI-3, the bell, the figures."""

import pytest

from application.ports.access_tokens import TokenKind
from tests.support.chromium import PROGRAM, Chromium

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")

SHOWN = "document.querySelectorAll('#toasts .toast').length"
LISTENS = "performance.getEntriesByType('resource').some(one => one.name.includes('/notifications/stream'))"


STOPS_THE_CLOCK_OF_TOASTS = """
window.due = new Map();
{
  const [set, clear] = [setTimeout, clearTimeout];
  window.setTimeout = (work, wait, ...more) => {
    if (wait !== 8000) return set(work, wait, ...more);
    const id = -1 - due.size;
    due.set(id, () => work(...more));
    return id;
  };
  window.clearTimeout = (id) => { if (due.has(id)) due.set(id, null); else clear(id); };
}
1"""


class Page:
    """A page of the service, as its visitor sees it; the time of toasts passes only when it is told to."""

    def __init__(self, browser, web, announcer, people):
        self._browser = browser
        self._web = web
        self._announcer = announcer
        self._people = people
        self.run = browser.run
        self.comes = browser.comes
        self.press = browser.press

    def go(self, path):
        self._browser.go(f"http://127.0.0.1:{self._web.port}{path}")
        self.run(STOPS_THE_CLOCK_OF_TOASTS)

    def let_eight_seconds_pass(self):
        self.run("for (const [id, go] of due) { due.set(id, null); go?.(); } 1")

    def has_time_running(self):
        return self.comes("[...due.values()].some(go => go)")

    def tell(self, count=1, **words):
        return self._announcer.tell(self._people.organization_id, "ann", count, **words)


@pytest.fixture
def page(web, announcer, people, tmp_path):
    with Chromium(tmp_path / "profile") as browser:
        browser.set_cookie(f"http://127.0.0.1:{web.port}", "mailpulse", people.token("ann", kind=TokenKind.SESSION))
        yield Page(browser, web, announcer, people)


@pytest.mark.parametrize("path", ["/", "/candidates", "/emails", "/notifications"])
def test_a_toast_comes_on_every_page_and_leads_to_the_candidate(page, path):
    page.go(path)
    page.tell()

    assert page.comes(f"{SHOWN} === 1")
    toast = "document.querySelector('#toasts .toast')"
    assert page.run(f"{toast}.querySelector('.title').textContent") == "John Smith just opened your email"
    assert page.run(f"{toast}.querySelector('.subject').textContent") == "Interview Invitation"
    assert page.run(f"{toast}.querySelector('a').getAttribute('href')") == "/candidates/c-1"
    assert page.run(f"{toast}.querySelector('use').getAttribute('href')") == "#icon-eye"
    assert page.run("document.querySelector('#toasts').getAttribute('role')") == "status"
    assert page.run(f"{toast}.getBoundingClientRect().right <= innerWidth && {toast}.getBoundingClientRect().top < 120")


def test_closing_closes_and_no_more_than_three_are_shown(page):
    page.go("/candidates")
    page.tell(5)

    assert page.comes("document.querySelector('a.bell .count')?.textContent === '5'"), "the rest is in the bell"
    assert page.run(SHOWN) == 3
    page.run("document.querySelector('#toasts .toast button').click()")
    assert page.run(SHOWN) == 2


def test_a_toast_goes_by_itself_but_not_while_it_has_the_focus(page):
    page.go("/candidates")
    page.tell()
    assert page.comes(f"{SHOWN} === 1")
    page.run("document.querySelector('#toasts .toast a').focus()")
    page.tell()
    assert page.comes(f"{SHOWN} === 2")

    page.let_eight_seconds_pass()
    assert page.run(SHOWN) == 1
    assert page.run("document.querySelector('#toasts .toast').contains(document.activeElement)")
    page.run("document.activeElement.blur()")
    assert page.has_time_running(), "its time begins again"
    page.let_eight_seconds_pass()
    assert page.run(SHOWN) == 0


def test_the_bell_opens_a_list_by_keyboard_and_closes_again(page):
    page.tell(2)
    page.go("/candidates")
    assert page.run("document.querySelector('a.bell').getAttribute('aria-label')") == "Notifications, 2 unread"

    page.run("document.querySelector('a.bell').focus(); document.querySelector('a.bell').click()")

    assert page.comes("document.querySelectorAll('#bell-panel .notices li').length === 2")
    assert page.run("document.querySelector('a.bell').getAttribute('aria-expanded')") == "true"
    page.press("Escape")
    assert page.comes("document.querySelector('#bell-panel').hidden")


def test_the_figures_of_the_dashboard_follow_without_a_reload_and_nothing_moves(page):
    page.go("/")
    page.run(
        "window.isSamePage = true; document.querySelector('.tiles .value').textContent = 'old'; window.moved = 0;"
        "new PerformanceObserver(list => { for (const one of list.getEntries()) window.moved += one.value; })"
        ".observe({ type: 'layout-shift' }); 1"
    )
    page.tell()

    assert page.comes("document.querySelector('.tiles .value').textContent !== 'old'")
    assert page.run("window.isSamePage")
    assert page.run("window.moved") < 0.01


def test_the_browser_is_asked_for_nothing_until_somebody_presses_the_button(page):
    page.go("/notifications")
    page.run(
        "window.asked = 0; Notification.requestPermission = async () => { window.asked += 1; return 'denied'; }; 1"
    )
    page.tell()
    assert page.comes(f"{SHOWN} === 1")

    assert page.run("window.asked") == 0
    page.run("document.querySelector('main button[data-ask]').click()")
    assert page.run("window.asked") == 1


def test_words_from_outside_are_words(page):
    page.go("/candidates")
    page.run("document.querySelector('a.bell').click()")
    page.tell(title="<img src=x onerror=alert(1)>", url="javascript:alert(1)")

    assert page.comes(f"{SHOWN} === 1")
    assert page.run("document.querySelectorAll('img').length") == 0
    assert page.run("document.querySelector('#toasts a').getAttribute('href')") == "/notifications"


def test_reading_is_said_by_forms_which_need_no_script(page):
    page.tell(3)
    page.go("/notifications")
    assert page.run("document.querySelectorAll('#notices .unread').length") == 3

    page.run("document.querySelector('#notices form').submit()")
    assert page.comes("document.querySelectorAll('#notices .unread').length === 2")
    page.run("document.querySelector('form[action$=read-all]').submit()")
    assert page.comes("document.querySelectorAll('#notices .read').length === 3")
    assert page.run("document.querySelector('a.bell').getAttribute('aria-label')") == "Notifications, 0 unread"
