"""A person at a browser: headless Chromium, on pages that this machine serves."""

import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
"""Without the word Headless, which would make a machine of the reader."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "no Chromium with its driver here; on Debian: apt-get install chromium chromium-driver"


def browser_paths():
    """Give where Chromium and its driver are; ``None`` if one is missing."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextmanager
def reader(profile):
    """Give a browser that a test drives.

    Args:
        profile: Directory of its own.
    """
    browser, driver = browser_paths()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",  # as root there is none
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-proxy-server",
        "--disable-background-networking",
        f"--user-data-dir={profile}",
        f"--user-agent={AGENT}",
    ):
        options.add_argument(argument)
    session = webdriver.Chrome(options=options, service=Service(executable_path=driver))
    try:
        session.set_page_load_timeout(60)
        yield session
    finally:
        session.quit()


class Pages:
    """Web pages by path, and what was asked for."""

    def __init__(self):
        self.contents = {}
        self.asked = []
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                pages.asked.append(self.path)
                content = pages.contents.get(self.path.partition("?")[0])
                self.send_response(200 if content else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((content or "nothing").encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
