"""Nothing of the machine that a file was written on stays in the repository."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Bracketed letters keep these patterns from finding themselves.
TRACES = {
    "a registry host": re.compile(rb"https?://[^\s)\"']*(?:p[y]pi|python[h]osted|npm[j]s|/s[i]mple/)"),
    "a path of one machine": re.compile(rb"(?<![\w.])/(?:w[o]rk|r[o]ot|h[o]me/\w+|U[s]ers/\w+|tmp/b[a]sh_jobs)/"),
    "an index line": re.compile(rb"^--?(?:i|index-url|extra-index-url|find-links|trusted-host)\b", re.MULTILINE),
}


@pytest.mark.parametrize("trace", TRACES)
def test_no_file_holds(trace, repository_files):
    holding = {
        f"{path}: {found[0].decode(errors='replace')}"
        for path in repository_files
        if (found := TRACES[trace].search((ROOT / path).read_bytes()))
    }

    assert holding == set()


def test_every_pinned_dependency_carries_hashes():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    pins = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==\S+(?:[^\n]*\\\n[^\n]+)*", lock, re.MULTILINE)

    assert len(pins) == len(re.findall(r"^\S+==", lock, re.MULTILINE)) > 0
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
