"""The flat layout holds: our five packages are ours, and everything a checkout runs is in the wheel."""

import importlib
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "application", "read_models", "adapters", "entrypoints")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (built,) = target.glob("mailpulse-*.whl")
    return built


@pytest.fixture(scope="module")
def run_from_wheel(wheel, tmp_path_factory):
    unpacked = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(wheel).extractall(unpacked)

    def run(code, *arguments):
        # -S leaves out the checkout, which an editable install puts on the path by a .pth file.
        return subprocess.run(
            [sys.executable, "-S", "-c", code, *arguments],
            cwd=tmp_path_factory.mktemp("empty"),
            env={"PYTHONPATH": f"{unpacked}:{sysconfig.get_path('purelib')}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_resolves_to_this_project_and_not_to_its_namesake_from_a_registry(package):
    assert Path(importlib.import_module(package).__file__) == ROOT / package / "__init__.py"


GENERATED = "entrypoints/web/pages/assets/generated/"
"""What hatch_build.py makes."""


def test_the_wheel_holds_every_file_of_the_five_packages_and_what_is_made_for_it(wheel, repository_files):
    in_packages = {path.as_posix() for path in repository_files if path.parts[0] in PACKAGES}

    in_wheel = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    made = {f"{GENERATED}{name}" for name in ("charts.js", "engagement_over_time.json", "made_by.txt")}
    assert in_wheel == in_packages | made


def test_the_wheel_resolves_to_itself_from_an_empty_directory(run_from_wheel):
    result = run_from_wheel(f"import {', '.join(PACKAGES)}; print(*(p.__file__ for p in ({', '.join(PACKAGES)})))")

    assert result.returncode == 0, result.stderr
    assert str(ROOT) not in result.stdout


def test_the_command_of_the_wheel_helps_from_an_empty_directory(run_from_wheel):
    start = """
from importlib.metadata import distribution
(script,) = distribution("mailpulse").entry_points.select(group="console_scripts")
script.load()()
"""

    result = run_from_wheel(start, "--help")

    assert result.returncode == 0, result.stderr
    for command in ("up", "web", "worker", "projector", "migrate", "org", "webhook", "user", "projections", "doctor"):
        assert f"\n  {command} " in result.stdout
