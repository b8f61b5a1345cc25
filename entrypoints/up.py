"""All processes of Mailpulse on one machine, supervised."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from entrypoints.bootstrap import Backend
from entrypoints.embedded_servers import embedded_servers
from entrypoints.programs import Program, answers_http
from entrypoints.settings import Settings
from entrypoints.supervisor import Supervisor


def run_up(settings: Settings, *, demo: bool) -> int:
    """Run until SIGTERM or SIGINT.

    Args:
        settings: With secret keys.
        demo: Whether a simulated provider plays as well.

    Returns:
        The exit status.
    """
    servers, database_url, redis_url = embedded_servers(settings)
    environment = settings.child_environment(
        os.environ, database_url=database_url, redis_url=redis_url, supervisor_pid=os.getpid()
    )
    if demo and settings.log_level == "info":
        environment["MAILPULSE_LOG_LEVEL"] = "warning"  # the terminal is for the play
    connected = msgspec.structs.replace(settings, database_url=database_url, redis_url=redis_url)

    def prepare() -> None:
        backend = Backend(connected)
        try:
            backend.migrate()
            if demo:
                from entrypoints.demo.setting import prepare_demo  # noqa: PLC0415 - the demo is no part of a service

                prepare_demo(backend, shows_database=settings.embeds_database)
        finally:
            backend.close()

    return Supervisor(
        servers=servers,
        programs=[*_programs(settings, environment), *([_demo(settings, environment)] if demo else [])],
        prepare=prepare,
        listens_on=(settings.host, settings.port),
        ready_line=f"Mailpulse is ready at {settings.public_url} (stop it with Ctrl-C)",
    ).run()


def _programs(settings: Settings, environment: Mapping[str, str]) -> list[Program]:
    web_is_ready = answers_http(settings.host, settings.port, "/health/ready")
    return [
        Program(name="projector", kind="projector", argv=_command("projector"), env=environment),
        *(
            Program(name=f"worker-{n + 1}", kind="worker", argv=_command("worker"), env=environment)
            for n in range(settings.worker_processes)
        ),
        *(
            Program(name=f"web-{n + 1}", kind="web", argv=_command("web"), env=environment, is_ready=web_is_ready)
            for n in range(settings.web_processes)
        ),
    ]


def _demo(settings: Settings, environment: Mapping[str, str]) -> Program:
    path: Path = settings.data_dir / "demo.json"
    return Program(
        name="demo", kind="demo", argv=[sys.executable, "-m", "entrypoints.demo", str(path)], env=environment
    )


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "entrypoints.cli", name]
