"""PostgreSQL refuses index entries above a third of a page: what callers choose fits, or costs only itself."""

import random

from application.email_registrations import LONGEST_ID, Job, Recipient, RegisteredEmail, Sender, Template
from domain.email_message import EmailMessage
from domain.values import LONGEST_MESSAGE_ID
from tests.support.core import registration
from tests.support.emails import CAMPAIGN, JOHN, email_id, sent


def incompressible(characters, seed=1):
    """Give text of four bytes a character that no compression makes shorter."""
    chosen = random.Random(seed)
    return "".join(chr(chosen.randint(0x20000, 0x2A6D0)) for _ in range(characters))


def test_the_longest_ids_are_taken_in(core):
    longest = [incompressible(LONGEST_ID, seed) for seed in range(5)]

    [answer] = core.register(
        registration(
            incompressible(LONGEST_MESSAGE_ID // 4),
            recipient=Recipient(id=longest[0], email=JOHN),
            sender=Sender(id=longest[1]),
            job=Job(id=longest[2], hiring_manager_id=longest[3]),
            template=Template(id=longest[4]),
            campaign_id=CAMPAIGN,
        )
    )
    core.project()

    assert isinstance(answer, RegisteredEmail)
    assert core.query("SELECT recipient_id, job_id FROM email_logs") == [(longest[0], longest[2])]
    assert core.query("SELECT candidate_id FROM candidate_scores") == [(longest[0],)]


def test_an_event_that_no_index_takes_is_set_aside_and_holds_up_nobody(core):
    core.register(registration("before"))
    with core.units.begin() as unit:
        unit.append([_registered("too long", recipient_id=incompressible(2_000))])
    core.register(registration("after"))

    core.project()

    assert core.query("SELECT message_id FROM email_logs ORDER BY id") == [("before",), ("after",)]
    assert core.query("SELECT error FROM ops.poison_events WHERE read_model = 'engagement'") == [("OperationalError",)]


def _registered(message_id, **told):
    message = EmailMessage(email_id(message_id))
    message.register(sent(message_id, **told))
    return message
