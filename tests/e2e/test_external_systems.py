"""The commands of docs/external_systems.md, as they stand there, against ``mailpulse up``."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.processes import eventually
from tests.support.running_service import RunningService

GUIDE = Path(__file__).parents[2] / "docs" / "external_systems.md"


def test_every_command_of_the_guide_does_what_it_says(tmp_path):
    *commands, questions = re.findall(r"^```\n(.*?)^```$", GUIDE.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    with RunningService(tmp_path / "data") as running:
        base = f"http://127.0.0.1:{running.port}"
        script = "\n".join(commands).replace("http://127.0.0.1:8000", base)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

        def shell(text):
            done = subprocess.run(
                ["/bin/bash", "-eu", "-c", text],
                cwd=tmp_path,
                env=running.environment | {"PATH": path, "HOME": str(tmp_path)},
                capture_output=True,
                text=True,
                check=False,
                timeout=90,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        names = "; ".join(("export BASE API_KEY", f"{script}\ndeclare -p BASE API_KEY > names.sh"))
        shell(f"BASE= API_KEY=; {names}")

        def answers():
            told, decoder = shell(f". ./names.sh; {questions}").strip(), json.JSONDecoder()
            events, end = decoder.raw_decode(told)
            engagement, end = decoder.raw_decode(told, end)
            orphans, _ = decoder.raw_decode(told, end)
            return events["items"], engagement["score_parts"]["replies"], orphans["items"]

        assert eventually(lambda: len(answers()[0]) == 2 and answers()[1] == 20, 20)
        events, _, orphans = answers()
    assert sorted(event["event_type"] for event in events) == ["delivered", "reply"]
    assert orphans == []
    instrumented = json.loads((tmp_path / "email.json").read_text())
    assert instrumented["headers"].keys() == {"List-Unsubscribe", "List-Unsubscribe-Post", "Message-ID", "Reply-To"}
    assert instrumented["links"] == 1
