"""What import-linter cannot see: parts of a third-party package, the environment, effects of an import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "application", "read_models", "adapters", "entrypoints")
CORE = ("domain", "application", "read_models")
DOMAIN_MAY_IMPORT = {"domain", "msgspec", "eventsourcing.domain", "idna"}  # idna: tables of letters, nothing more
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}
READS_THE_ENVIRONMENT = {"entrypoints/settings.py"}
TAKE_THE_ENVIRONMENT = {"from_env", "child_environment"}  # of Settings: a process hands os.environ over, whole


def sources(*packages):
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_modules(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}:{node.lineno}: import absolutely from the layer"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reads_environment(path):
    parsed = tree(path)
    handed_to_the_settings = {
        argument
        for call in ast.walk(parsed)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in TAKE_THE_ENVIRONMENT
        for argument in call.args
    }
    return any(names_environment(node) for node in ast.walk(parsed) if node not in handed_to_the_settings)


def names_environment(node):
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id == "os" and node.attr in ENVIRONMENT
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and bool(ENVIRONMENT & {alias.name for alias in node.names})
    return False


def is_within(module, packages):
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_the_domain_imports_the_event_sourcing_domain_msgspec_and_idna_only():
    foreign = {
        (path.relative_to(ROOT).as_posix(), module)
        for path in sources("domain")
        for module in imported_modules(path)
        if module.partition(".")[0] not in sys.stdlib_module_names
        and module != "eventsourcing"
        and not is_within(module, DOMAIN_MAY_IMPORT)
    }

    assert foreign == set()


@pytest.mark.parametrize("storage", ["eventsourcing.postgres", "eventsourcing.sqlite", "eventsourcing.popo"])
def test_the_core_does_not_know_a_storage_of_the_event_sourcing_library(storage):
    knowing = {
        path.relative_to(ROOT).as_posix()
        for path in sources(*CORE)
        if any(is_within(module, {storage}) for module in imported_modules(path))
    }

    assert knowing == set()


def test_only_the_settings_read_the_environment():
    reading = {path.relative_to(ROOT).as_posix() for path in sources(*PACKAGES) if reads_environment(path)}

    assert reading <= READS_THE_ENVIRONMENT


def test_importing_a_module_opens_no_connection_and_starts_no_process():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sources(*PACKAGES)
        if path.name != "__main__.py"
    ]
    code = """
import importlib, sys
def refuse(event, arguments):
    if event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.posix_spawn"}:
        raise AssertionError(f"{event} while importing")
sys.addaudithook(refuse)
# Selenium brings trio into checkouts; httpcore imports it where it is, and trio asks a program for a library's name.
sys.modules["trio"] = None
for module in sys.argv[1:]:
    importlib.import_module(module)
"""

    result = subprocess.run(
        [sys.executable, "-c", code, *modules],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0, result.stderr
