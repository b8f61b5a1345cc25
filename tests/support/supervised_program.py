"""A program for the supervisor's tests: NAME RECORD_FILE PORT MODE.

It has a child of its own, answers HTTP when PORT is not 0, and on SIGTERM writes its name to the record and ends.
MODE: "willing", "stubborn" (ignores SIGTERM), "broken" (ends at once with status 3).
"""

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NoReturn

from entrypoints.process_lifetime import exit_when_parent_dies

name, record, port, mode = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Tests are quiet."""


def end(_number: int, _frame: object) -> NoReturn:
    with record.open("a") as file:
        file.write(f"{name}\n")
    os._exit(0)


if mode == "broken":
    sys.exit(3)
signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "stubborn" else end)
exit_when_parent_dies(int(os.environ["MAILPULSE_SUPERVISOR_PID"]))
subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)", str(record), f"child-of-{name}"],
    preexec_fn=exit_when_parent_dies,  # noqa: PLW1509  no thread runs here yet
)
if port:
    HTTPServer(("127.0.0.1", port), Answer).serve_forever()
while True:
    signal.pause()
