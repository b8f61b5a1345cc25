"""The same facts in each provider's own words."""

from datetime import datetime
from typing import Any, Final

from entrypoints.demo.facts import Bounce, Cause, Fact, Kind
from entrypoints.demo.team import SentEmail

Item = dict[str, Any]

_ACCEPTED: Final = "250 2.0.0 OK"
_TRY_LATER: Final = "421 4.7.0 Try again later"

_SENDGRID_EVENTS: Final = {
    Kind.DELIVERED: "delivered",
    Kind.DEFERRED: "deferred",
    Kind.OPENED: "open",
    Kind.CLICKED: "click",
    Kind.BOUNCED: "bounce",
    Kind.DROPPED: "dropped",
    Kind.SPAM_REPORTED: "spamreport",
    Kind.UNSUBSCRIBED: "unsubscribe",
}
_GENERIC_EVENTS: Final = {
    Kind.DELIVERED: "delivered",
    Kind.DEFERRED: "deferred",
    Kind.OPENED: "open",
    Kind.CLICKED: "click",
    Kind.BOUNCED: "bounce",
    Kind.DROPPED: "dropped",
    Kind.SPAM_REPORTED: "spam",
    Kind.UNSUBSCRIBED: "unsubscribe",
    Kind.REPLIED: "reply",
}


def sendgrid_event(fact: Fact) -> Item:
    """Put a fact into SendGrid's words; a reply has none."""
    email = fact.email
    item: Item = {
        "email": email.candidate.email,
        "timestamp": int(fact.at.timestamp()),
        "event": _SENDGRID_EVENTS[fact.kind],
        "sg_event_id": fact.event_id,
        "sg_message_id": f"{email.message_id}.recvd-canary-7c9d8f-2x4hn-1-6741F2A1-3.0",
        "category": [email.template.id],
        "requisition": email.job.id,
    }
    if fact.kind not in {Kind.OPENED, Kind.CLICKED, Kind.SPAM_REPORTED}:
        item["smtp-id"] = f"<{email.message_id}@geopod-ismtpd-12>"
    if fact.user_agent:
        item |= {"ip": fact.ip_address, "useragent": fact.user_agent}
    match fact.kind:
        case Kind.DELIVERED:
            item |= {"response": _ACCEPTED, "tls": 1}
        case Kind.DEFERRED:
            item |= {"response": _TRY_LATER, "attempt": "1"}
        case Kind.OPENED:
            item |= {"sg_machine_open": fact.cause is Cause.PREFETCH, "sg_content_type": "html"}
        case Kind.CLICKED:
            item |= {"url": fact.url, "url_offset": {"index": fact.position, "type": "html"}}
        case Kind.BOUNCED if fact.bounce:
            item |= _sendgrid_bounce(fact.bounce)
        case Kind.DROPPED:
            item |= {"reason": "Bounced Address"}
    return item


def _sendgrid_bounce(bounce: Bounce) -> Item:
    return {
        "type": "blocked" if bounce.kind == "block" else "bounce",
        "status": bounce.status,
        "reason": bounce.answer,
        "bounce_classification": "Content" if bounce.kind == "block" else "Invalid Address",
    }


def generic_event(fact: Fact) -> Item:
    """Put a fact into the words of the use case's own input data."""
    email = fact.email
    item: Item = {
        "event_type": _GENERIC_EVENTS[fact.kind],
        "message_id": f"<{email.message_id}>",
        "timestamp": _iso(fact.at),
        "recipient": email.candidate.email,
        "event_id": fact.event_id,
        "metadata": {"requisition": email.job.id},
    }
    if fact.user_agent:
        item |= {"ip_address": fact.ip_address, "user_agent": fact.user_agent}
    if fact.kind is Kind.CLICKED:
        link = email.template.links[fact.position]
        item |= {"url": fact.url, "link_text": link.text, "link_position": str(fact.position)}
    if fact.bounce:
        item |= {"bounce_type": fact.bounce.kind, "bounce_reason": fact.bounce.reason}
    if fact.kind is Kind.DROPPED:
        item |= {"bounce_reason": "previously_bounced"}
    return item


def ses_event(fact: Fact) -> Item:
    """Put a fact into the words of SES's event publishing; a reply has none."""
    kind, about = _ses_words(fact)
    return {"eventType": kind, "mail": _ses_mail(fact.email) | {"tags": _ses_tags(fact.email)}} | about


def ses_feedback(fact: Fact) -> Item | None:
    """Put a fact into the words of SES's older feedback notifications, which know three kinds only."""
    kind, about = _ses_words(fact)
    if kind not in {"Bounce", "Complaint", "Delivery"}:
        return None
    return {"notificationType": kind, "mail": _ses_mail(fact.email)} | about


def _ses_words(fact: Fact) -> tuple[str, Item]:
    address, at = fact.email.candidate.email, _iso(fact.at)
    said: Item = {"timestamp": at}
    match fact.kind:
        case Kind.DELIVERED:
            words = "Delivery", "delivery"
            said |= {"recipients": [address], "smtpResponse": _ACCEPTED, "processingTimeMillis": 900}
        case Kind.DEFERRED:
            words = "DeliveryDelay", "deliveryDelay"
            delayed = [{"emailAddress": address, "status": "4.7.0", "diagnosticCode": _TRY_LATER}]
            said |= {"delayType": "TransientCommunicationFailure", "delayedRecipients": delayed}
        case Kind.OPENED:
            words = "Open", "open"
            said |= {"ipAddress": fact.ip_address, "userAgent": fact.user_agent}
        case Kind.CLICKED:
            words = "Click", "click"
            said |= {"ipAddress": fact.ip_address, "userAgent": fact.user_agent, "link": fact.url, "linkTags": None}
        case Kind.BOUNCED if fact.bounce:
            words = "Bounce", "bounce"
            said |= _ses_bounce(fact, fact.bounce.ses_type, fact.bounce.status, fact.bounce.answer)
        case Kind.DROPPED:
            words = "Bounce", "bounce"
            said |= _ses_bounce(fact, ("Permanent", "OnAccountSuppressionList"), "5.1.1", "suppressed")
        case Kind.SPAM_REPORTED:
            words = "Complaint", "complaint"
            said |= {"complainedRecipients": [{"emailAddress": address}], "complaintFeedbackType": "abuse"}
        case Kind.UNSUBSCRIBED:
            words = "Subscription", "subscription"
            before, after = {"unsubscribeAll": False}, {"unsubscribeAll": True}
            said |= {"contactList": "candidates", "oldTopicPreferences": before, "newTopicPreferences": after}
        case _:
            raise ValueError(f"SES cannot report that an email was {fact.kind}")
    return words[0], {words[1]: said}


def _ses_bounce(fact: Fact, ses_type: tuple[str, str], status: str, answer: str) -> Item:
    about = {"action": "failed", "status": status, "diagnosticCode": f"smtp; {answer}"}
    return {
        "bounceType": ses_type[0],
        "bounceSubType": ses_type[1],
        "bouncedRecipients": [{"emailAddress": fact.email.candidate.email} | about],
        "feedbackId": fact.event_id,
    }


def _ses_mail(email: SentEmail) -> Item:
    return {
        "timestamp": _iso(email.sent_at),
        "messageId": email.message_id,
        "source": "careers@northwind.example",
        "destination": [email.candidate.email],
    }


def _ses_tags(email: SentEmail) -> Item:
    return {"ses:configuration-set": ["mailpulse"], "template": [email.template.id]}


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
