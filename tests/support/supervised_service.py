"""A supervisor with embedded servers and small programs, as a process of its own: DATA_DIR PORT MODE."""

import os
import sys
from pathlib import Path

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.redis import EmbeddedRedis
from entrypoints.logging import configure_logging
from entrypoints.programs import Program, answers_http
from entrypoints.supervisor import Supervisor

data_dir, port, mode = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
record = data_dir / "record"
program = str(Path(__file__).with_name("supervised_program.py"))
env = {**os.environ, "MAILPULSE_SUPERVISOR_PID": str(os.getpid())}


def prepare() -> None:
    with record.open("a") as file:
        file.write("prepared\n")


def named(name: str, kind: str, program_port: int = 0) -> Program:
    its_mode = mode if kind == "worker" else "willing"
    return Program(
        name=name,
        kind=kind,
        argv=[sys.executable, program, name, str(record), str(program_port), its_mode],
        env=env,
        is_ready=answers_http("127.0.0.1", program_port, "/") if program_port else None,
    )


configure_logging("info")
sys.exit(
    Supervisor(
        servers=[EmbeddedPostgres(data_dir), EmbeddedRedis(data_dir)],
        prepare=prepare,
        programs=[
            named("projector", "projector"),
            named("worker-1", "worker"),
            named("worker-2", "worker"),
            named("web", "web", port),
        ],
        listens_on=("127.0.0.1", port),
        ready_line=f"ready at http://127.0.0.1:{port}",
    ).run()
)
