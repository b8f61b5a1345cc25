"""Run a function in a fresh process and tell what it cost there."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import psutil

from tests.support.running_service import peak_memory_mb


class Spent(NamedTuple):
    """What a function gave and used.

    Attributes:
        cpu_s: Of the process, both user and system.
        peak_mb: Most memory resident, imports included.
    """

    answer: Any
    seconds: float
    cpu_s: float
    peak_mb: float


def cpu_seconds(process: psutil.Process) -> float:
    """Give what a process and all below it have used, those included that it has outlived and waited for."""
    spent = sum(process.cpu_times()[:4])
    for child in process.children():
        with suppress(psutil.NoSuchProcess):
            spent += cpu_seconds(child)
    return spent


def in_own_process(function: Callable[..., Any], *arguments: object) -> Spent:
    """Call a function of a module; what it prepares for itself before it is timed is its own business."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_measured, function, arguments).result()


def in_own_processes(function: Callable[..., Any], arguments: list[tuple[object, ...]]) -> list[Any]:
    """Call a function in several fresh processes at once."""
    with ProcessPoolExecutor(len(arguments), mp_context=multiprocessing.get_context("spawn")) as processes:
        return [running.result() for running in [processes.submit(function, *words) for words in arguments]]


def _measured(function: Callable[..., Any], arguments: tuple[object, ...]) -> Spent:
    started, used = time.perf_counter(), time.process_time()
    answer = function(*arguments)
    return Spent(
        answer,
        time.perf_counter() - started,
        time.process_time() - used,
        peak_memory_mb(psutil.Process()),
    )
