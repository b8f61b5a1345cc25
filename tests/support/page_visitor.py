"""Somebody who looks at our pages in a browser and uses them."""

import json


class Visitor:
    """Reads and clicks.

    Args:
        browser: What they look through.
        url: Where the service is.
    """

    def __init__(self, browser, url):
        self.browser = browser
        self._url = url
        self.run = browser.run
        self.comes = browser.comes
        self.press = browser.press

    def go(self, path):
        self.browser.go(f"{self._url}{path}")

    def complaints(self):
        """Give what pages complained of since the last time."""
        heard = list(self.browser.complaints)
        self.browser.complaints.clear()
        return heard

    @property
    def place(self):
        """The address, without the host."""
        return self.run("location.pathname + location.search")

    def text(self, selector="main"):
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        """Give the words of each, also of those that a closed part hides."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return [" ".join(words.split()) for words in self.run(f"{found}.map(one => one.textContent)")]

    def follow(self, words, within="main"):
        """Click the link or button of these words, and wait for the page it leads to."""
        one = self._found("a[href], button", words, within)
        self.browser.follow(f"{one}.click()")

    def press_button(self, words, within="main"):
        self.run(f"{self._found('button', words, within)}.click()")

    def press_link(self, words, within="main"):
        self.run(f"{self._found('a[href]', words, within)}.click()")

    def fill(self, label, value):
        """Write into the field of a label, or choose there what is called so."""
        field = f"({FIELD})({json.dumps(label)})"
        if not self.run(f"!!{field}"):
            raise LookupError(f"no field {label!r} on {self.place}")
        self.run(f"({WRITE})({field}, {json.dumps(value)})")

    def choose(self, label, value):
        """Choose in a field that acts at once, and wait for the page it leads to."""
        self.browser.follow(f"({WRITE})(({FIELD})({json.dumps(label)}), {json.dumps(value)})")

    def _found(self, kind, words, within):
        one = f"({FIND})({json.dumps(kind)}, {json.dumps(words)}, {json.dumps(within)})"
        if not self.run(f"!!{one}"):
            raise LookupError(f"nothing to click called {words!r} on {self.place}")
        return one


FIND = """(kind, words, within) => [...document.querySelectorAll(within)]
    .flatMap(part => [...part.querySelectorAll(kind)])
    .find(one => one.textContent.trim() === words || one.getAttribute('aria-label') === words)"""
FIELD = """label => [...document.querySelectorAll('main label, footer label')]
    .find(one => one.firstChild.textContent.trim().startsWith(label) || one.textContent.trim() === label)
    ?.querySelector('input, select, textarea')"""
WRITE = """(field, value) => {
    if (field.type === 'checkbox') field.checked = value;
    else if (field.tagName === 'SELECT') field.value = [...field.options].find(one => one.text === value).value;
    else field.value = value;
    field.dispatchEvent(new Event('change', { bubbles: true }));
}"""
