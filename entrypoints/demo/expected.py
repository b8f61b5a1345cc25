"""What the service must answer, computed from the facts alone: plain sums, none of the service's code."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from entrypoints.demo.facts import Cause, Fact, Kind
from entrypoints.demo.team import SentEmail

RATES = {
    "open_rate": ("opened", "sent"),
    "click_rate": ("clicked", "sent"),
    "click_to_open_rate": ("clicked", "opened"),
    "bounce_rate": ("bounced", "sent"),
    "unsubscribe_rate": ("unsubscribed", "sent"),
    "reply_rate": ("replied", "sent"),
}

Answer = dict[str, Any]


class Expected:
    """Answers to be expected about registered emails.

    Args:
        emails: Registered.
        facts: Distinct facts that were reported; those about other emails count nowhere.
    """

    def __init__(
        self,
        emails: Iterable[SentEmail],
        facts: Iterable[Fact],
    ) -> None:
        self._facts: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            self._facts[fact.email.message_id].append(fact)
        self.emails: dict[str, Answer] = {}
        """By message id: the aggregates of ``GET /api/v1/emails/{email_id}``; moments are aware UTC."""
        self._sent = {email.message_id: email for email in emails}
        for message_id in self._sent:
            self.emails[message_id] = self._email(message_id)

    def campaign(self, campaign_id: object) -> Answer:
        """Expect the answer of ``GET /api/v1/campaigns/{campaign_id}/engagement``: counts, rates, time to open."""
        return self._metrics(lambda email: email.campaign.id == campaign_id)

    def template(self, template_id: str) -> Answer:
        """Expect the same of the emails written with a template."""
        return self._metrics(lambda email: email.template.id == template_id)

    def everything(self) -> Answer:
        """Expect the same of all emails."""
        return self._metrics(lambda _: True)

    def candidate(self, candidate_id: str) -> Answer:
        """Expect the counts of ``GET /api/v1/candidates/{candidate_id}/engagement``."""
        found = [self.emails[key] for key, email in self._sent.items() if email.candidate.id == candidate_id]
        return {
            "emails_sent": len(found),
            "emails_opened": sum(_was_opened(email) for email in found),
            "emails_clicked": sum(bool(email["click_count"]) for email in found),
        }

    def links(self, campaign_id: object) -> dict[str, Answer]:
        """Expect by URL how often links of a campaign were followed, and by how many contacts."""
        clicks: dict[str, list[str]] = defaultdict(list)
        for message_id, email in self._sent.items():
            if email.campaign.id == campaign_id:
                for fact in self._by_people(message_id, Kind.CLICKED):
                    clicks[fact.url].append(message_id)
        return {url: {"click_count": len(by), "unique_clicks": len(set(by))} for url, by in clicks.items()}

    def _email(self, message_id: str) -> Answer:
        opens = self._by_people(message_id, Kind.OPENED)
        clicks = self._by_people(message_id, Kind.CLICKED)
        facts = self._facts[message_id]
        bounces = [fact.bounce for fact in facts if fact.bounce]
        return {
            "delivered_at": self._earliest(message_id, Kind.DELIVERED),
            "opened_at": min((fact.at for fact in opens), default=None),
            "open_count": len(opens),
            "clicked_at": min((fact.at for fact in clicks), default=None),
            "click_count": len(clicks),
            "unique_click_count": len({_link_as_told(fact) for fact in clicks}),
            "replied_at": self._earliest(message_id, Kind.REPLIED),
            "bounced_at": self._earliest(message_id, Kind.BOUNCED),
            "bounce_type": bounces[0].kind if bounces else None,
            "unsubscribed_at": self._earliest(message_id, Kind.UNSUBSCRIBED),
            "spam_reported_at": self._earliest(message_id, Kind.SPAM_REPORTED),
            "machine_open_count": sum(fact.kind is Kind.OPENED and _by_machine(fact) for fact in facts),
            "scanner_click_count": sum(fact.kind is Kind.CLICKED and _by_machine(fact) for fact in facts),
        }

    def _by_people(self, message_id: str, kind: Kind) -> list[Fact]:
        return [fact for fact in self._facts[message_id] if fact.kind is kind and not _by_machine(fact)]

    def _earliest(self, message_id: str, kind: Kind) -> Any:
        return min((fact.at for fact in self._facts[message_id] if fact.kind is kind), default=None)

    def _metrics(self, belongs: Callable[[SentEmail], bool]) -> Answer:
        keys = [key for key, email in self._sent.items() if belongs(email) and not self._was_dropped(key)]
        emails = [self.emails[key] for key in keys]
        waits = [
            (self.emails[key]["opened_at"] - self._sent[key].sent_at).total_seconds()
            for key in keys
            if self.emails[key]["opened_at"]
        ]
        sums: Answer = {
            "sent": len(emails),
            "delivered": _number_with(emails, "delivered_at"),
            "opened": sum(_was_opened(email) for email in emails),
            "clicked": _number_with(emails, "click_count"),
            "total_clicks": sum(email["click_count"] for email in emails),
            "replied": _number_with(emails, "replied_at"),
            "bounced": _number_with(emails, "bounced_at"),
            "unsubscribed": _number_with(emails, "unsubscribed_at"),
            "spam_reported": _number_with(emails, "spam_reported_at"),
            "machine_opens": sum(email["machine_open_count"] for email in emails),
            "scanner_clicks": sum(email["scanner_click_count"] for email in emails),
        }
        rates = {name: _percent(sums[part], sums[whole]) for name, (part, whole) in RATES.items()}
        average = round(sum(waits) / len(waits), 2) if waits else None
        return sums | rates | {"avg_time_to_open_seconds": average}

    def _was_dropped(self, message_id: str) -> bool:
        return any(fact.kind is Kind.DROPPED for fact in self._facts[message_id])


def _by_machine(fact: Fact) -> bool:
    """The story knows who did it; the service must find out."""
    return fact.cause is not Cause.PERSON


def _was_opened(email: Mapping[str, Any]) -> bool:
    """A click implies an open (MET-1)."""
    return bool(email["open_count"] or email["click_count"])


def _link_as_told(click: Fact) -> tuple[str, int]:
    """SES tells a link's address and not its position."""
    return click.url, -1 if click.email.provider == "ses" else click.position


def _number_with(emails: Iterable[Mapping[str, Any]], field: str) -> int:
    return sum(bool(email[field]) for email in emails)


def _percent(part: int, whole: int) -> float | None:
    return round(100.0 * part / whole, 2) if whole else None
