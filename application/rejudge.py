"""Judge what is kept by the rules of today."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.detection import CurrentDetection
from application.ports.engaged_emails import EngagedEmail, EngagedEmails
from application.ports.unit_of_work import UnitOfWork, UnitsOfWork
from application.transactions import in_transaction

EMAILS_PER_TRANSACTION: Final = 200


class Rejudgements(msgspec.Struct, kw_only=True):
    """What came of it so far.

    Attributes:
        emails: Looked at.
        changed: Of these, in how many an open or a click is judged differently.
        judgements: How many opens and clicks that are.
    """

    of: int = 0
    emails: int = 0
    changed: int = 0
    judgements: int = 0


class Rejudge:
    """Applies the present rules to kept opens and clicks, beside a running system, as often as one likes.

    What the rules would need and is gone (erased, withheld, dropped) leaves the verdict that it led to.

    Args:
        units: Begins transactions.
        emails: Finds them.
        clock: Gives aware UTC.
        detection: Gives the rules.

    Source:
        BR-558.7: rules change; a verdict can be revised by a later event, and nothing is dropped.
    """

    def __init__(self, units: UnitsOfWork, emails: EngagedEmails, clock: Clock, detection: CurrentDetection) -> None:
        self._units = units
        self._emails = emails
        self._clock = clock
        self._detection = detection

    def __call__(
        self,
        since: datetime,
        organization_id: UUID | None = None,
        *,
        dry_run: bool = False,
        progress: Callable[[Rejudgements], None] = lambda _: None,
    ) -> Rejudgements:
        """Judge anew.

        Args:
            since: Aware UTC; emails about which something was recorded then or later.
            organization_id: Whose; ``None``: all organisations'.
            dry_run: Only say what would change.
            progress: Told after each transaction what came of it so far.

        Raises:
            UnknownOrganizationError: There is no such organisation.
            StoreUnavailableError: What was judged is judged; ask again for the rest.
        """
        total = Rejudgements(of=self._emails.count(since, organization_id))
        last = 0
        while batch := self._emails.after(last, since, organization_id, most=EMAILS_PER_TRANSACTION):
            changed, judgements = self._judge(batch, dry_run=dry_run)
            total.emails += len(batch)
            total.changed += changed
            total.judgements += judgements
            last = batch[-1].email_log_id
            progress(total)
        return total

    def _judge(self, emails: Sequence[EngagedEmail], *, dry_run: bool) -> tuple[int, int]:
        def judge(unit: UnitOfWork) -> tuple[int, int]:
            # Nobody erases or purges them meanwhile.
            unit.tracking.policies({email.organization_id for email in emails})
            messages = list(unit.messages([email.email_id for email in emails]).values())
            unit.reveal(messages)
            now, detection = self._clock(), self._detection()
            judged = [(message, message.rejudge(detection, at=now)) for message in messages if message.is_known]
            changed = [message for message, judgements in judged if judgements]
            if not dry_run:
                unit.append(changed)
            return len(changed), sum(judgements for _, judgements in judged)

        return in_transaction(self._units, judge)
