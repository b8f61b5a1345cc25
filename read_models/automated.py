"""What machines did, beside what people did."""

import msgspec


class AutomatedActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What machines did with a candidate's tracked emails of the last 90 days; no score looks at it.

    Attributes:
        raw_opened: Number of emails that a person or a machine opened; a click implies an open.
        raw_clicked: Number of emails in which a person or a machine followed a link.

    Source:
        BR-558.7: machines are visible as a separate count.
    """

    machine_open_count: int = 0
    scanner_click_count: int = 0
    raw_opened: int = 0
    raw_clicked: int = 0


NO_MACHINES = AutomatedActivity()
