"""Each storage of the write side behind the same few questions, so that one suite holds for all of them."""

from collections import Counter

import msgspec
import psycopg
from psycopg.rows import dict_row

from adapters.agents import read_agent
from adapters.memory.engagement_view import MemoryEngagementView
from adapters.memory.read_model_store import MemoryReadModelStore
from adapters.memory.scores_view import MemoryScoresView
from adapters.memory.store import MemoryStore
from adapters.memory.unit_of_work import MemoryUnitsOfWork
from adapters.postgres.confirmations import PostgresConfirmations
from domain.email_facts import Recorded, Rejudged, Rejudgement
from domain.email_message import EmailMessage
from domain.recipient_facts import Erased
from domain.tracking_terms import OPEN_TERMS
from domain.values import addressee_id_for
from read_models.engagement import projection as engagement
from read_models.engagement.view import EmailLog, Totals
from read_models.runner import FoldingReadModel
from read_models.scores import projection as scores
from tests.support.batches import catch_up
from tests.support.core import ENDPOINT
from tests.support.emails import ACME, JOHN, NOON, email_id, hours, sent


class Storage:
    """What the suite asks of a storage besides the port.

    Attributes:
        units: Begins transactions.
    """

    def register(self, message_id="m-1", **told):
        message = EmailMessage(email_id(message_id))
        message.register(sent(message_id, **told))
        with self.units.begin() as unit:
            unit.append([message])
        return message.id

    def record(self, *reports, message_id="m-1", terms=OPEN_TERMS):
        with self.units.begin() as unit:
            [message] = unit.messages([email_id(message_id)]).values()
            for report in reports:
                message.record(report, received_at=NOON, terms=terms)
            return unit.append([message])

    def judge_anew(self, verdict, *reports, message_id="m-1"):
        """Revise what is thought of reports, or keys of reports, that were recorded."""
        with self.units.begin() as unit:
            [message] = unit.messages([email_id(message_id)]).values()
            keys = [report if isinstance(report, bytes) else report.key_for(message.id) for report in reports]
            message._record(judged_anew(verdict, *keys))
            return unit.append([message])

    def erase(self, address=JOHN):
        """Append what says that somebody was erased."""
        self.tell(addressee_id_for(ACME, address), Erased(organization_id=ACME, erased_at=NOON))

    def tell(self, stream_id, fact):
        """Append a fact to a stream that is no email's."""
        self._told[stream_id] += 1
        with self.units.begin() as unit:
            unit.append([Told(stream_id, self._told[stream_id], fact)])

    def history(self, message_id="m-1"):
        with self.units.begin() as unit:
            return unit.messages([email_id(message_id)])[email_id(message_id)]

    def facts(self, message_id="m-1"):
        """Give an email's stream, as readers of the log find it."""
        return [logged.fact for logged in self._log() if logged.stream_id == email_id(message_id)]


class Told:
    """The newest fact of a stream that is no email's."""

    sent = None

    def __init__(self, stream_id, version, fact):
        self.id = stream_id
        self._recorded = Recorded(stream_id, version, fact)

    def collect_events(self):
        return [self._recorded]


def judged_anew(verdict, *keys):
    return Rejudged(
        judgements=tuple(Rejudgement(key, verdict, ("burst",), 0.75) for key in keys),
        rule_version=7,
        recorded_at=NOON + hours(48),
    )


class MemoryStorage(Storage):
    def __init__(self):
        self._told = Counter()
        self.now = NOON
        self.store = MemoryStore(lambda: self.now)
        self.units = MemoryUnitsOfWork(self.store)
        self.view = MemoryEngagementView()
        self.engagement = MemoryReadModelStore(engagement.NAME, self.store, self.view, tables=tuple(vars(self.view)))
        self.ranking = MemoryScoresView(self.store, self.view, lambda: self.engagement.position)
        self.scores = scores.ScoresReadModel(
            scores.NAME,
            MemoryReadModelStore(scores.NAME, self.store, self.ranking, tables=("ranking",)),
            lambda: self.now,
        )

    def project(self):
        catch_up([FoldingReadModel(engagement.NAME, self.engagement, _project), self.scores])

    def _log(self):
        return self.store.log

    def emails(self):
        return {email.message_id: _comparable(msgspec.structs.asdict(email)) for email in self.view.email_logs.values()}

    def events(self):
        return sorted(
            (
                row.email.message_id,
                row.event_word,
                row.event_type if row.email.tracking else None,
                row.occurred_at,
                row.url,
                row.ip_address,
                row.user_agent,
                _comparable_data(row.event_data),
                row.place < 0,
                row.verdict,
                row.reasons,
            )
            for row in self.view.events.values()
        )

    def automated(self):
        return sorted(
            (
                self._name_of(automated.row.email),
                automated.row.event_type,
                automated.row.occurred_at,
                automated.row.verdict,
                automated.row.reasons,
            )
            for automated in self.view.automated
        )

    def _name_of(self, email):
        return self.view.email_logs[email.email_id].message_id

    def links(self):
        return sorted(
            (self._name_of(link.email), link.url, link.link_position, link.click_count, link.first_clicked_at)
            for link in self.view.email_links.values()
            if link.click_count
        )

    def scanned_links(self):
        return sorted(
            (self._name_of(link.email), link.url, link.link_position, link.scanner_click_count)
            for link in self.view.email_links.values()
            if link.scanner_click_count
        )

    def totals(self):
        return {key: tuple(sums) for key, sums in self.view.totals.items()}

    def ranked(self):
        return {
            candidate_id: (row.score.score, row.score.level, row.score.level_reason, row.candidate.name)
            for (_, candidate_id), row in self.ranking.ranking.items()
        }

    def set_aside(self):
        return sorted(self.engagement.poison)

    def decay(self):
        return self.scores.decay()

    def sign_in(self, session_hash):
        self.store.sessions[session_hash] = ACME

    def receive(self, body=b"[]"):
        return self.store.receive(
            endpoint_id=ENDPOINT,
            organization_id=ACME,
            provider="email",
            headers={"webhook-id": "w-1"},
            body=body,
            received_at=NOON,
        )

    def inbox(self):
        return {id_: (row.delivery.attempts, row.last_error) for id_, row in self.store.inbox.items()}

    def parked(self):
        return [(row.status, row.report.reason, row.times_seen) for row in self._parked("failed")] + [
            (row.status, "", row.times_seen) for row in self._parked("orphaned")
        ]

    def _parked(self, status):
        return [row for _, row in sorted(self.store.parked.items()) if row.status == status]

    def parked_ids(self):
        return sorted(self.store.parked)

    def outcomes(self):
        return dict(self.store.outcomes)

    def confirmations(self):
        return [(endpoint_id, confirmation.url) for endpoint_id, confirmation in self.store.confirmations]


class PostgresStorage(Storage):
    def __init__(self, core):
        self._core = core
        self._told = Counter()
        self.units = core.units

    @property
    def now(self):
        return self._core.now

    @now.setter
    def now(self, now):
        self._core.now = now

    def project(self):
        self._core.project()

    def sign_in(self, session_hash):
        self._core.query(
            "WITH home AS (INSERT INTO ops.organizations (id, name, created_at) VALUES (%s, 'Acme', now())"
            " ON CONFLICT DO NOTHING), person AS (INSERT"
            " INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id)"
            " VALUES (gen_random_uuid(), %s, 'user_token', 'theirs', 'recruiter', 'r-7') RETURNING id)"
            " INSERT INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id, parent_id)"
            " SELECT gen_random_uuid(), %s, 'session', %s, 'recruiter', 'r-7', id FROM person"
            " RETURNING id",
            ACME,
            ACME,
            ACME,
            session_hash,
        )

    def _log(self):
        return self._core.log()

    def _rows(self, sql):
        return self._core.query(sql)

    def emails(self):
        with psycopg.connect(self._core.database_url, row_factory=dict_row) as connection:
            rows = connection.execute("SELECT * FROM email_logs").fetchall()
        return {row["message_id"]: _comparable(row) for row in rows}

    def events(self):
        return sorted(
            (*row[:5], row[5] and str(row[5]), row[6], _comparable_data(row[7]), *row[8:10], tuple(row[10] or ()))
            for row in self._rows(
                "SELECT e.message_id, v.event_type, t.event_type, v.occurred_at, v.url, v.ip_address, v.user_agent,"
                " v.metadata, v.id < 0, v.verdict, v.reasons"
                " FROM email_engagement_events v JOIN email_logs e ON e.id = v.email_log_id"
                " LEFT JOIN engagement_tracking t ON t.id = v.event_id AND t.event_timestamp = v.occurred_at"
                " AND t.clicked_url IS NOT DISTINCT FROM v.url AND t.event_data IS NOT DISTINCT FROM v.metadata"
                " AND t.ip_address IS NOT DISTINCT FROM v.ip_address"
            )
        )

    def automated(self):
        return sorted(
            (*row[:4], tuple(row[4]))
            for row in self._rows(
                "SELECT e.message_id, a.event_type, a.event_timestamp, a.verdict, a.reasons"
                " FROM automated_engagement a JOIN email_logs e ON e.id = a.email_log_id"
            )
        )

    def links(self):
        return sorted(
            self._rows(
                "SELECT e.message_id, l.url, l.link_position, l.click_count, l.first_clicked_at"
                " FROM email_links l JOIN email_logs e ON e.id = l.email_log_id WHERE l.click_count > 0"
            )
        )

    def scanned_links(self):
        return sorted(
            self._rows(
                "SELECT e.message_id, l.url, l.link_position, l.scanner_click_count"
                " FROM email_links l JOIN email_logs e ON e.id = l.email_log_id WHERE l.scanner_click_count > 0"
            )
        )

    def totals(self):
        fields = ", ".join(Totals.__struct_fields__)
        return {
            row[:5]: row[5:]
            for row in self._rows(
                f"SELECT organization_id, sent_quarter, job_id, campaign_id, template_id, {fields} FROM email_totals"
            )
        }

    def ranked(self):
        return {
            candidate_id: (score, level, reason, name)
            for candidate_id, score, level, reason, name in self._rows(
                "SELECT candidate_id, score, level, level_reason, name FROM candidate_scores"
            )
        }

    def set_aside(self):
        return [place for (place,) in self._rows("SELECT notification_id FROM ops.poison_events ORDER BY 1")]

    def decay(self):
        return self._core.backend.scores_model().decay()

    def receive(self, body=b"[]"):
        id_ = self._core.receive(body=body)
        self._core.execute(
            "UPDATE ops.webhook_inbox SET headers = %s WHERE id = %s",
            msgspec.msgpack.encode({"webhook-id": "w-1"}),
            id_,
        )
        return id_

    def inbox(self):
        rows = self._core.query("SELECT id, attempts, coalesce(last_error, '') FROM ops.webhook_inbox ORDER BY id")
        return {id_: (attempts, error) for id_, attempts, error in rows}

    def parked(self):
        return self._core.query(
            "SELECT status, CASE status WHEN 'failed' THEN reason ELSE '' END, times_seen FROM ops.parked_reports"
            " ORDER BY status, id"
        )

    def parked_ids(self):
        return [id_ for (id_,) in self._core.query("SELECT id FROM ops.parked_reports ORDER BY id")]

    def outcomes(self):
        return dict(self._core.query("SELECT outcome, reports FROM ops.report_outcomes"))

    def confirmations(self):
        due = PostgresConfirmations(self._core.backend._datastore).due(NOON.replace(year=9000))
        return [(confirmation.endpoint_id, confirmation.url) for confirmation in due]


def _project(view, log, batch):
    return engagement.ProjectEngagement(view, log, read_agent)(batch)


_OF_STORAGE = {"id"}
"""What two storages number differently."""


def _comparable(row):
    assert row.keys() == set(EmailLog.__struct_fields__)
    return {name: value for name, value in row.items() if name not in _OF_STORAGE} | {
        "erased_by": row["erased_by"] is not None
    }


def _comparable_data(data):
    return msgspec.json.encode(data, order="sorted") if data else b""


STORAGES = {
    "memory": lambda _: MemoryStorage(),
    "postgres": lambda request: PostgresStorage(request.getfixturevalue("core")),
}
