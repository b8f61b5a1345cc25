"""A recruiting team as a customer of the running service: its emails, its people, what it sees."""

from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

from tests.bdd.mail_providers import PLACES, PROVIDERS, Happening
from tests.bdd.moments import rfc3339

SENT = "5 days ago"


class SentEmail(NamedTuple):
    """An email of the team, by what the service knows it by."""

    to: str
    subject: str
    email_id: str
    email_log_id: int
    message_id: str
    address: str
    header: str = ""
    reply_to: str = ""


class Team:
    """One organisation.

    Args:
        service: The running service.
        moments: Of the scenario.
        name: What the scenario calls the team.
        provider: What the scenario calls the mail provider.
    """

    def __init__(self, service, moments, name, provider):
        self.name = name
        self.provider = PROVIDERS[provider]
        self.service = service
        self._moments = moments
        created = service.new_organization(name)
        self.organization_id, self.api_key = created["organization_id"], created["api_key"]
        self.endpoint = self.open_endpoint()
        self.emails: list[SentEmail] = []

    def open_endpoint(self, *, keys=None, **settings):
        asked = {"provider": self.provider.name, "keys": [self.provider.signer.key] if keys is None else keys}
        return self.ask("/webhook-endpoints", asked | settings)

    # --- emails ---

    def describe(self, row):
        """Put a row of a scenario into the words of a registration; what it leaves out does not matter there."""
        to, subject = row["to"], row.get("email", "Interview invitation")
        described = {
            "provider": self.provider.name,
            "message_id": row.get("message id") or uuid4().hex,
            "sent_at": rfc3339(self._moments.at(row.get("sent") or SENT)),
            "subject": subject,
            "recipient": {"type": "Candidate", "id": candidate_id(to), "email": address_of(to), "name": to},
            "sender": {"id": "r-1", "name": "Ruth Recruiter"},
            "tracking": row.get("tracked", "yes") == "yes",
        }
        if header := row.get("header"):
            described["internet_message_id"] = f"<{header}>"
        if domain := row.get("replies to"):
            described["reply_domain"] = domain
        if job := row.get("job"):
            described["job"] = {"id": job, "title": job, "hiring_manager_id": row.get("hiring manager", "")}
        if template := row.get("template"):
            described["template"] = {"id": template, "name": template}
        if campaign := row.get("campaign"):
            described["campaign_id"] = self.campaign_id(campaign)
            # One person is one contact of a campaign, however many of its emails they get.
            described["campaign_contact_id"] = self._id_of(f"contact {campaign} {to}")
        return described

    def register(self, described):
        """Tell the service of emails that went out."""
        answers = self.ask("/emails", {"emails": described})["items"]
        for email, answer in zip(described, answers, strict=True):
            assert answer["status"] != "rejected", f"{email} was rejected: {answer}"
            recipient = email["recipient"]
            self.emails.append(
                SentEmail(
                    to=recipient["name"],
                    subject=email["subject"],
                    email_id=answer["email_id"],
                    email_log_id=answer["email_log_id"],
                    message_id=email["message_id"],
                    address=recipient["email"],
                    header=email.get("internet_message_id", "").strip("<>")
                    or self.provider.header(email["message_id"]),
                    reply_to=answer["reply_to"] or "",
                )
            )
        return answers

    def email(self, row):
        """Find the email that a row speaks of: by recipient, and by subject if that is not enough."""
        found = {
            one.email_id: one
            for one in self.emails
            if one.to == row["to"] and row.get("email", one.subject) == one.subject
        }
        assert len(found) == 1, f"the scenario knows {len(found)} emails like {row}"
        return next(iter(found.values()))

    def campaign_id(self, name):
        return self._id_of(f"campaign {name}")

    # --- reports ---

    def happening(self, row, email=None):
        email = email or self.email(row)
        return Happening(
            what=row["what happened"],
            message_id=email.message_id,
            address=email.address,
            at=self._moments.at(row.get("when", "now")),
            number=row.get("number") or str(uuid4()),
            link=row.get("link", ""),
            position=row.get("position", ""),
            link_text=row.get("text", ""),
            device=row.get("device") or row.get("program", ""),
            ip=PLACES.get(row.get("from", ""), row.get("from")),
        )

    # --- questions ---

    def ask(self, path, body=None, *, token=None):
        """Ask the API as the team's own software; a refusal fails the scenario."""
        answer = self.service.ask(path, body, token=token or self.api_key)
        assert answer.is_success, f"{path} answered {answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None

    def put(self, path, body):
        """Decide something by the API; a refusal fails the scenario."""
        answer = self.service.put(path, body, token=self.api_key)
        assert answer.is_success, f"{path} answered {answer.status_code}: {answer.text}"

    def all_of(self, path, *, token=None):
        """Give all items of a list, page by page."""
        items, cursor = [], None
        while True:
            page = self.ask(f"{path}{'&' if '?' in path else '?'}limit=100{cursor or ''}", token=token)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"

    def token_of(self, user, role):
        return self.session_of(user, role)["token"]

    def session_of(self, user, role):
        return self.ask("/user-sessions", {"user_id": user, "role": role, "name": user})

    def _id_of(self, what):
        return str(uuid5(UUID(self.organization_id), what))


def candidate_id(name):
    return "c-" + name.lower().replace(" ", "-")


def address_of(name):
    return name.lower().replace(" ", ".") + "@example.com"
