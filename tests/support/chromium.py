"""A headless Chromium, told what to do over a pipe in its DevTools protocol."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from itertools import count

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
)
READS, WRITES = 3, 4  # where Chromium expects the pipe
ANSWERS_WITHIN_S = 60.0
PATIENCE_S = 60.0
KEY_NUMBERS = {"Tab": 9, "Escape": 27}
LOUD = {"error", "warning"}
GONE = ("Inspected target navigated or closed", "Cannot find context", "Execution context was destroyed")


class NavigatedError(Exception):
    """The page went away while it was asked something."""


class Chromium:
    """One browser with one tab and a profile of its own; use as a context.

    Args:
        profile: An empty directory.

    Attributes:
        complaints: What pages wrote to the console as warnings and errors, what the browser logged of them (files not
            found, violations of the content security policy), and exceptions that nobody caught; in their order.
    """

    def __init__(self, profile):
        self.complaints = []
        self._profile = profile
        self._ids = count(1)
        self._text = b""

    def __enter__(self):
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()

        def place():
            os.dup2(os.dup(to_read), READS)
            os.dup2(os.dup(to_write), WRITES)

        self._process = subprocess.Popen(
            [
                PROGRAM or "chromium",
                *QUIET,
                "--remote-debugging-pipe",
                f"--user-data-dir={self._profile}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place,  # noqa: PLW1509  it takes no lock
            close_fds=False,
        )
        os.close(to_read)
        os.close(to_write)
        tab = next(one for one in self._ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._session = None
        self._session = self._ask("Target.attachToTarget", targetId=tab["targetId"], flatten=True)["sessionId"]
        self._ask("Emulation.setFocusEmulationEnabled", enabled=True)  # else a headless page may lack the focus
        self._ask("Runtime.enable")
        self._ask("Log.enable")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, RuntimeError):  # it has ended already
            self._ask("Browser.close")
        try:
            self._process.wait(ANSWERS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def set_cookie(self, url, name, value):
        self._ask("Network.setCookie", url=url, name=name, value=value, httpOnly=True)

    def look_like(self, *, width, height=800, dark=False, reduced_motion=False):
        """Take on a size and tastes."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 640
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"},
        ]
        self._ask("Emulation.setEmulatedMedia", features=features)

    def live_in(self, zone):
        """Take on a time zone."""
        self._ask("Emulation.setTimezoneOverride", timezoneId=zone)

    def forget(self):
        """Have no cookies, as a visitor who comes for the first time."""
        self._ask("Network.clearBrowserCookies")

    def keep_downloads_in(self, directory):
        self._ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(directory))

    def go(self, url):
        """Open a page and return when it has loaded."""
        answer = self._ask("Page.navigate", url=url)
        if "errorText" in answer:
            raise ConnectionError(f"{url}: {answer['errorText']}")
        if not self.comes("document.readyState === 'complete'"):
            raise TimeoutError(f"{url} does not load")

    def follow(self, script):
        """Do what leads to another page, and return when that has loaded."""
        mark = next(self._ids)
        self.run(f"window.leaves = {mark}; {script}; true")
        if not self.comes(f"window.leaves !== {mark} && document.readyState === 'complete'"):
            raise TimeoutError(f"no other page after {script}")

    def run(self, script):
        """Give the value of an expression."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    def comes(self, condition, within_s=PATIENCE_S):
        """Wait until an expression is true."""
        deadline = time.monotonic() + within_s
        while not self._holds(condition):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _holds(self, condition):
        try:
            return self.run(condition)
        except NavigatedError:
            return False

    def press(self, key):
        more = {"text": key} if len(key) == 1 else {"windowsVirtualKeyCode": KEY_NUMBERS[key]}
        self._ask("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **more)
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    @contextlib.contextmanager
    def without_scripts(self):
        """Run no scripts of pages; ours still can be."""
        self._ask("Emulation.setScriptExecutionDisabled", value=True)
        try:
            yield
        finally:
            self._ask("Emulation.setScriptExecutionDisabled", value=False)

    def _ask(self, method, **parameters):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self._hear(answer)
        if "error" in answer:
            raise _error(answer["error"]["message"])
        return answer["result"]

    def _hear(self, event):
        match event:
            case {"method": "Log.entryAdded", "params": {"entry": entry}} if entry["level"] in LOUD:
                self.complaints.append(f"{entry['text']} ({entry.get('url', '')})")
            case {"method": "Runtime.consoleAPICalled", "params": said} if said["type"] in LOUD:
                self.complaints.append(" ".join(str(one.get("value", one.get("description"))) for one in said["args"]))
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])

    def _next(self):
        while b"\0" not in self._text:
            if not select.select([self._from], [], [], ANSWERS_WITHIN_S)[0]:
                raise TimeoutError("Chromium does not answer")
            chunk = os.read(self._from, 2**20)
            if not chunk:
                raise ConnectionError("Chromium has ended")
            self._text += chunk
        message, _, self._text = self._text.partition(b"\0")
        return json.loads(message)


def _error(message):
    return NavigatedError(message) if message.startswith(GONE) else RuntimeError(message)
