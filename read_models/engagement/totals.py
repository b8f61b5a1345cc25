"""What emails add to the sums: settled once a batch, by the difference from what each added before."""

from typing import Final

from read_models.engagement.view import NO_CAMPAIGN, Changes, EmailLog, Totals, quarter_of

Contribution = tuple[int, ...]
"""Field by field as in `Totals`."""

NOTHING: Final[Contribution] = (0,) * len(Totals.__struct_fields__)


def contribution(email: EmailLog) -> Contribution:
    """What an email adds to the totals; nothing if it is not tracked.

    Source:
        MET-1: rates are percentages of emails sent with tracking on; a human click implies an open.
    """
    if not email.tracking:
        return NOTHING
    # Twice a batch for every email in it: what several fields ask for is asked once.
    opens, clicks, opened_at = email.open_count, email.click_count, email.opened_at
    clicked_by_any = clicks + email.scanner_click_count > 0
    return (
        1 if email.dropped_at is None else int(email.left),
        email.delivered_at is not None,
        opens > 0 or clicks > 0,
        clicks > 0,
        opens,
        clicks,
        email.unique_click_count,
        email.reply_count > 0,
        email.bounced_at is not None,
        email.unsubscribed_at is not None,
        email.spam_reported_at is not None,
        email.machine_open_count,
        email.scanner_click_count,
        int(opened_at is not None),
        max(0, round((opened_at - email.sent_at).total_seconds())) if opened_at else 0,
        clicked_by_any or opens + email.machine_open_count > 0,
        clicked_by_any,
    )


def settle_totals(email: EmailLog, was: Contribution | None, changes: Changes) -> None:
    """Add what an email adds now and did not add before.

    Args:
        email: As the batch left it.
        was: Its contribution before; ``None`` for a new email.
        changes: Whose sums are changed.
    """
    now = contribution(email)
    if was is None:
        # A tracked email has its row of totals even if it adds nothing: else rows would tell how events were batched.
        if not email.tracking:
            return
        was = NOTHING
    elif now == was:
        return
    key = (
        email.organization_id,
        quarter_of(email.sent_at),
        email.job_id or "",
        email.campaign_id or NO_CAMPAIGN,
        email.template_id or "",
    )
    sums = changes.totals.get(key)
    if sums is None:
        changes.totals[key] = [new - old for new, old in zip(now, was, strict=True)]
    else:
        for place, (new, old) in enumerate(zip(now, was, strict=True)):
            sums[place] += new - old
