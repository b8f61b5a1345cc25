"""What each provider says about the same happening, in its own words, signed as its own."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

import msgspec

from tests.bdd.moments import rfc3339
from tests.support.signed_deliveries import SIGNERS, SnsSigner, notification

COMPUTER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)
PROGRAMS = {
    "": COMPUTER,
    "computer": COMPUTER,
    "phone": PHONE,
    "Chrome": COMPUTER,
    "iPhone": PHONE,
    "Firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "Apple Mail's prefetch": "Mozilla/5.0",
    "Gmail's prefetch": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
    ),
    "Gmail's image proxy": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Yahoo's image proxy": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Barracuda": "Mozilla/5.0 (compatible; Barracuda Link Protection/2.0)",
    "a program's library": "python-requests/2.32.3",
    "a listed crawler": "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "a chat's preview": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
}
HOME = "81.2.69.160"  # of a household; examples for documentation would be strangers to any network list
PLACES = {
    "": HOME,
    "home": HOME,
    "office": "81.2.69.200",
    "a data centre": "5.9.10.11",
    "Microsoft's network": "40.107.12.9",
}
NO_SUCH_MAILBOX = "550 5.1.1 The email account that you tried to reach does not exist"
MAILBOX_FULL = "452 4.2.2 The recipient's mailbox is full"


class Happening(NamedTuple):
    """Something that happened to an email, as a scenario tells it."""

    what: str
    message_id: str
    address: str
    at: datetime
    number: str
    link: str = ""
    position: str = ""
    link_text: str = ""
    device: str = ""
    ip: str = HOME

    @property
    def agent(self):
        return PROGRAMS.get(self.device, self.device)


class Post(NamedTuple):
    """One delivery of a provider, not yet signed."""

    provider: "MailProvider"
    body: bytes

    def signed(self, *, now=None):
        return self.provider.signer.sign(self.body, now=now or datetime.now(UTC))


class MailProvider:
    """Speaks for one provider.

    Attributes:
        name: In paths and registrations.
        signer: Holds the key that an endpoint is told of.
    """

    def __init__(self, name, say, *, signer=None, batches=True):
        self.name = name
        self.signer = signer or SIGNERS[name]
        self._say = say
        self._batches = batches

    def header(self, message_id):
        """Give what the Message-ID header holds of an email when it arrives."""
        return {"sendgrid": f"{message_id}.recvd-7c9d8f@ismtpd-17", "ses": f"{message_id}@eu-west-1.amazonses.com"}.get(
            self.name, message_id
        )

    def posts(self, happenings):
        """Report, in as few deliveries as the provider would."""
        if self._batches:
            return [self.post([self._say(happening) for happening in happenings])]
        return [self.post(self._say(happening), happening.number) for happening in happenings]

    def post(self, said, number=""):
        """Wrap words that may be wrong; `number` is the delivery's own where a delivery speaks of one happening."""
        if not self._batches:
            said = notification(said, MessageId=number or str(uuid4()), Timestamp=rfc3339(datetime.now(UTC)))
        return Post(self, msgspec.json.encode(said))


def _sendgrid(happening):
    said = {
        "event": {
            "delivered": "delivered",
            "delayed": "deferred",
            "opened": "open",
            "opened by a machine": "open",
            "clicked": "click",
            "bounced": "bounce",
            "bounced for now": "bounce",
            "never sent": "dropped",
            "reported as spam": "spamreport",
            "unsubscribed": "unsubscribe",
        }[happening.what],
        "email": happening.address,
        "timestamp": int(happening.at.timestamp()),
        "sg_event_id": happening.number,
        "sg_message_id": f"{happening.message_id}.recvd-7c9d8f-2x4hn-1-6741F2A1-3.0",
    }
    match happening.what:
        case "opened" | "opened by a machine":
            said |= {"ip": happening.ip, "useragent": happening.agent, "sg_machine_open": "machine" in happening.what}
        case "clicked":
            said |= {"ip": happening.ip, "useragent": happening.agent, "url": happening.link}
            if happening.position:
                said["url_offset"] = {"index": int(happening.position), "type": "html"}
        case "bounced":
            said |= {"type": "bounce", "status": "5.1.1", "reason": NO_SUCH_MAILBOX}
        case "bounced for now":
            said |= {"type": "bounce", "status": "4.2.2", "reason": MAILBOX_FULL}
        case "never sent":
            said["reason"] = "Bounced Address"
    return said


def _amazon_ses(happening):
    at, address = rfc3339(happening.at), happening.address
    person = {"timestamp": at, "ipAddress": happening.ip, "userAgent": happening.agent}
    match happening.what:
        case "delivered":
            about = {"eventType": "Delivery", "delivery": {"timestamp": at, "recipients": [address]}}
        case "delayed":
            delay = {"timestamp": at, "delayType": "TransientCommunicationFailure"}
            about = {
                "eventType": "DeliveryDelay",
                "deliveryDelay": delay | {"delayedRecipients": [{"emailAddress": address}]},
            }
        case "opened":
            about = {"eventType": "Open", "open": person}
        case "clicked":
            about = {"eventType": "Click", "click": person | {"link": happening.link, "linkTags": None}}
        case "bounced":
            about = _ses_bounce(happening, "Permanent", "NoEmail", "5.1.1", NO_SUCH_MAILBOX)
        case "bounced for now":
            about = _ses_bounce(happening, "Transient", "MailboxFull", "4.2.2", MAILBOX_FULL)
        case "never sent":
            about = _ses_bounce(happening, "Permanent", "Suppressed", "5.1.1", "suppressed")
        case "reported as spam":
            about = {
                "eventType": "Complaint",
                "complaint": {"timestamp": at, "complainedRecipients": [{"emailAddress": address}]},
            }
        case "unsubscribed":
            before, after = {"unsubscribeAll": False}, {"unsubscribeAll": True}
            change = {"timestamp": at, "oldTopicPreferences": before, "newTopicPreferences": after}
            about = {"eventType": "Subscription", "subscription": change}
    return {"mail": {"timestamp": at, "messageId": happening.message_id, "destination": [address]}} | about


def _ses_bounce(happening, kind, subtype, status, answer):
    recipient = {"emailAddress": happening.address, "status": status, "diagnosticCode": f"smtp; {answer}"}
    said = {"bounceType": kind, "bounceSubType": subtype, "timestamp": rfc3339(happening.at)}
    return {"eventType": "Bounce", "bounce": said | {"bouncedRecipients": [recipient]}}


def _another_mail_system(happening):
    said = {
        "event_type": {
            "delivered": "delivered",
            "delayed": "deferred",
            "opened": "open",
            "clicked": "click",
            "bounced": "bounce",
            "bounced for now": "bounce",
            "never sent": "dropped",
            "reported as spam": "spam",
            "unsubscribed": "unsubscribe",
            "replied": "reply",
        }[happening.what],
        "message_id": f"<{happening.message_id}>",
        "recipient": happening.address,
        "timestamp": rfc3339(happening.at),
        "event_id": happening.number,
    }
    match happening.what:
        case "opened":
            said |= {"ip_address": happening.ip, "user_agent": happening.agent}
        case "clicked":
            said |= {"ip_address": happening.ip, "user_agent": happening.agent, "url": happening.link}
            said |= {"link_position": happening.position, "link_text": happening.link_text}
        case "bounced":
            said |= {"bounce_type": "hard", "bounce_reason": "mailbox_does_not_exist"}
        case "bounced for now":
            said |= {"bounce_type": "soft", "bounce_reason": "mailbox_full"}
        case "never sent":
            said["bounce_reason"] = "previously_bounced"
    return said


PROVIDERS = {
    "SendGrid": MailProvider("sendgrid", _sendgrid),
    "Amazon SES": MailProvider("ses", _amazon_ses, signer=SnsSigner("2"), batches=False),
    "another mail system": MailProvider("email", _another_mail_system),
}
