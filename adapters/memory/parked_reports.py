"""Reports that wait for their email or for a person, in memory, for tests."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from uuid import UUID

import msgspec

from adapters.memory.store import MemoryStore, Parked
from application.ports.parked_reports import FailedReport, Orphan


class MemoryParkedReports:
    """See `application.ports.parked_reports.ParkedReports`.

    Args:
        store: Where they are.
        hold: Keeps other transactions away from some of a kind; gives those it got.
        later: Has something happen when the transaction does.
    """

    def __init__(
        self,
        store: MemoryStore,
        hold: Callable[[str, Iterable[int], int], list[int]],
        later: Callable[[Callable[[], object]], None],
    ) -> None:
        self._store = store
        self._hold = hold
        self._later = later

    def park_orphans(self, orphans: Sequence[Orphan]) -> None:
        for orphan in orphans:
            self._later(partial(self._park, orphan))

    def park_failures(self, failures: Sequence[FailedReport]) -> None:
        for failure in failures:
            self._later(partial(self._park, failure))

    def _park(self, report: Orphan | FailedReport) -> None:
        identity = _identity(report)
        for row in self._store.parked.values():
            if row.identity == identity:
                row.times_seen += 1
                if isinstance(row.report, FailedReport) and isinstance(report, FailedReport):
                    row.report = msgspec.structs.replace(row.report, reason=report.reason)
                return
        if isinstance(report, FailedReport) and not report.is_kept:
            report = msgspec.structs.replace(report, headers={}, body=b"")
        id_ = self._store.next_id()
        self._store.parked[id_] = Parked(msgspec.structs.replace(report, id=id_), identity)

    def orphans_of(self, email_ids: Sequence[UUID]) -> list[Orphan]:
        return self._take_orphans(lambda orphan: orphan.email_id in email_ids, len(self._store.parked))

    def organizations_of_orphans(self, email_ids: Sequence[UUID]) -> set[UUID]:
        orphans = [row.report for row in self._store.parked.values() if isinstance(row.report, Orphan)]
        return {orphan.organization_id for orphan in orphans if orphan.email_id in email_ids}

    def organizations_of_known_orphans(self, *, most: int) -> set[UUID]:
        known = [
            row.report.organization_id
            for row in self._store.parked.values()
            if isinstance(row.report, Orphan) and row.report.email_id in self._store.streams
        ]
        return set(known[:most])

    def orphans_whose_email_is_known(self, organization_ids: Collection[UUID], *, most: int) -> list[Orphan]:
        return self._take_orphans(
            lambda orphan: orphan.organization_id in organization_ids and orphan.email_id in self._store.streams, most
        )

    def _take_orphans(self, wanted: Callable[[Orphan], bool], most: int) -> list[Orphan]:
        orphans = {
            id_: row.report
            for id_, row in self._store.parked.items()
            if isinstance(row.report, Orphan) and wanted(row.report)
        }
        return [orphans[id_] for id_ in self._hold("parked", sorted(orphans), most)]

    def report(self, organization_id: UUID, report_id: int) -> Orphan | FailedReport | None:
        row = self._store.parked.get(report_id)
        if row is None or row.report.organization_id != organization_id:
            return None
        self._hold("parked", [report_id], 1)
        return row.report

    def forget(self, report_ids: Sequence[int]) -> None:
        for report_id in report_ids:
            self._later(partial(self._store.parked.pop, report_id, None))


def _identity(report: Orphan | FailedReport) -> tuple[object, ...]:
    if isinstance(report, Orphan):
        return ("orphaned", report.organization_id, report.report.key_for(report.email_id))
    return ("failed", report.organization_id, report.endpoint_id, report.body)
