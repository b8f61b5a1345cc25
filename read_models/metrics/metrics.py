"""What happened to a set of emails, as counts and rates."""

import msgspec

RATE_DECIMALS = 2


class EmailTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over tracked emails that left the provider; each email counts once, except where "total" is said.

    Attributes:
        opened: By a person; a click implies an open.
        total_clicks: All human clicks.
        machine_opens: Opens by machines, all of them; in no rate.
        scanner_clicks: Clicks by machines, all of them; in no rate.
        timed_opens: Emails of which the time from sending to the first human open is known.
        seconds_to_open: Sum of these times.
        raw_opened: As `opened`, by a person or a machine; ``raw_clicked`` likewise.
    """

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    total_clicks: int = 0
    replied: int = 0
    bounced: int = 0
    unsubscribed: int = 0
    spam_reported: int = 0
    machine_opens: int = 0
    scanner_clicks: int = 0
    timed_opens: int = 0
    seconds_to_open: int = 0
    raw_opened: int = 0
    raw_clicked: int = 0


class EngagementMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and rates of a set of emails.

    Attributes:
        open_rate: Like every rate a percentage of the emails sent, 0.0 to 100.0 (more
            where what happened in a period is counted, also to earlier emails); ``None`` where nothing was sent.
        click_to_open_rate: Percentage of the opened emails that were clicked.
        avg_time_to_open_seconds: Mean time from sending to the first human open.
    """

    sent: int
    delivered: int
    opened: int
    clicked: int
    total_clicks: int
    replied: int
    bounced: int
    unsubscribed: int
    spam_reported: int
    machine_opens: int
    scanner_clicks: int
    open_rate: float | None
    click_rate: float | None
    click_to_open_rate: float | None
    bounce_rate: float | None
    unsubscribe_rate: float | None
    reply_rate: float | None
    avg_time_to_open_seconds: float | None


def percent(part: int, whole: int) -> float | None:
    """Give a share as a percentage, rounded to two decimals; ``None`` where the whole is 0.

    Source:
        MET-1: rates are percentages, null where the denominator is 0.
    """
    return round(100.0 * part / whole, RATE_DECIMALS) if whole else None


def as_if_people(totals: EmailTotals) -> EmailTotals:
    """Count machines like people: every email they opened or clicked, and every click of theirs.

    The time to open stays that of people: a scanner's seconds would say nothing about anybody.

    Source:
        BR-558.7: machines are visible on request.
    """
    return msgspec.structs.replace(
        totals,
        opened=totals.raw_opened,
        clicked=totals.raw_clicked,
        total_clicks=totals.total_clicks + totals.scanner_clicks,
    )


def metrics_of(totals: EmailTotals) -> EngagementMetrics:
    """Turn sums into the metrics that people compare.

    Source:
        MET-1: percentages of emails sent with tracking on; click-to-open = clicked ÷ opened.
    """
    return EngagementMetrics(
        sent=totals.sent,
        delivered=totals.delivered,
        opened=totals.opened,
        clicked=totals.clicked,
        total_clicks=totals.total_clicks,
        replied=totals.replied,
        bounced=totals.bounced,
        unsubscribed=totals.unsubscribed,
        spam_reported=totals.spam_reported,
        machine_opens=totals.machine_opens,
        scanner_clicks=totals.scanner_clicks,
        open_rate=percent(totals.opened, totals.sent),
        click_rate=percent(totals.clicked, totals.sent),
        click_to_open_rate=percent(totals.clicked, totals.opened),
        bounce_rate=percent(totals.bounced, totals.sent),
        unsubscribe_rate=percent(totals.unsubscribed, totals.sent),
        reply_rate=percent(totals.replied, totals.sent),
        avg_time_to_open_seconds=(
            round(totals.seconds_to_open / totals.timed_opens, RATE_DECIMALS) if totals.timed_opens else None
        ),
    )
