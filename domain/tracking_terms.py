"""What an organisation and a recipient allow to be recorded about opens and clicks.

Source:
    BR-558.1 tracking consent; BR-558.8 privacy mode; SEC-5 IP addresses; PRE-1, PRE-3.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

LONGEST_RETENTION_DAYS: Final = 3_650


class ConsentMode(StrEnum):
    """What holds for people who never said anything."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"


class Consent(StrEnum):
    """What somebody said about being tracked."""

    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"


class ConsentSource(StrEnum):
    """How somebody's will became known."""

    API = "api"
    UNSUBSCRIBE = "unsubscribe"


class IpHandling(StrEnum):
    """What becomes of the address that opened or clicked.

    Source:
        SEC-5 Encryption of IP addresses (optional).
    """

    KEEP = "keep"
    TRUNCATE = "truncate"
    ENCRYPT = "encrypt"
    DROP = "drop"


class TrackingPolicy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An organisation's rules for tracking; without a decision of its own, these defaults.

    Attributes:
        tracking_enabled: Whether opens and clicks are recorded at all (PRE-1).
        privacy_mode: Whether only counts, verdict and link of an engagement are kept (BR-558.8).
        consent_mode: What holds for people who never said anything.
        ip_handling: What becomes of addresses of opens and clicks.
        retention_days: How long an email and everything about it is kept; 1 to `LONGEST_RETENTION_DAYS` (BR-558.6).
        notifications_enabled: Whether anybody is told of what happens, replies and bounces included.
        unsubscribe_ends_tracking: Whether who unsubscribes is no longer tracked either.
    """

    tracking_enabled: bool = True
    privacy_mode: bool = False
    consent_mode: ConsentMode = ConsentMode.OPT_OUT
    ip_handling: IpHandling = IpHandling.KEEP
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_RETENTION_DAYS)] = 730
    notifications_enabled: bool = True
    unsubscribe_ends_tracking: bool = False

    @property
    def presumed_consent(self) -> Consent:
        """What holds for people who never said anything."""
        return Consent.OPTED_IN if self.consent_mode is ConsentMode.OPT_OUT else Consent.OPTED_OUT

    @property
    def keeps_everything(self) -> bool:
        """Whether facts are kept as they were reported."""
        return self.ip_handling is IpHandling.KEEP and not self.privacy_mode


DEFAULT_POLICY: Final = TrackingPolicy()


class TrackingTerms(msgspec.Struct, frozen=True, gc=False):
    """What may be recorded about one recipient's opens and clicks now.

    Attributes:
        policy: Of the organisation.
        consent: Of the recipient; ``None`` if they never said anything.
    """

    policy: TrackingPolicy = DEFAULT_POLICY
    consent: Consent | None = None

    @property
    def refusal(self) -> str:
        """Why opens and clicks may not be recorded, as a word for counts; "" if they may.

        Source:
            BR-558.1 Tracking only without opt-out; PRE-1 tracking enabled for the organisation.
        """
        if not self.policy.tracking_enabled:
            return "tracking_disabled"
        if (self.consent or self.policy.presumed_consent) is Consent.OPTED_OUT:
            return "no_consent"
        return ""


OPEN_TERMS: Final = TrackingTerms()
"""Of an organisation that decided nothing, about somebody who said nothing: everything is recorded."""
