import pytest

from domain.tracking_terms import DEFAULT_POLICY, Consent, ConsentMode, ConsentSource, IpHandling, TrackingPolicy
from domain.values import addressee_id_for
from tests.support.emails import ACME, GLOBEX, JOHN, NOON, hours
from tests.support.storages import STORAGES

STRICT = TrackingPolicy(
    tracking_enabled=False,
    privacy_mode=True,
    consent_mode=ConsentMode.OPT_IN,
    ip_handling=IpHandling.ENCRYPT,
    retention_days=90,
    notifications_enabled=False,
    unsubscribe_ends_tracking=True,
)
ADA, BOB = addressee_id_for(ACME, "ada@example.com"), addressee_id_for(ACME, "bob@example.com")


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


def decide(storage, policy, at=NOON, organization_id=ACME):
    with storage.units.begin() as unit:
        organization = unit.tracking.organization(organization_id)
        organization.change_policy(policy, changed_at=at, changed_by="u-1")
        unit.tracking.keep_policy(organization)


def say(storage, consents, at=NOON):
    with storage.units.begin() as unit:
        recipients = unit.tracking.recipients(consents)
        for addressee_id, consent in consents.items():
            recipients[addressee_id].change_consent(
                consent, organization_id=ACME, changed_at=at, source=ConsentSource.API, changed_by="u-1"
            )
        unit.tracking.keep_consents(list(recipients.values()))


def policies(storage, *organization_ids):
    with storage.units.begin() as unit:
        return unit.tracking.policies(organization_ids)


def consents(storage, *addressee_ids):
    with storage.units.begin() as unit:
        return unit.tracking.consents(addressee_ids)


def test_who_decided_nothing_has_the_default_policy(storage):
    assert policies(storage, ACME, GLOBEX) == {ACME: DEFAULT_POLICY, GLOBEX: DEFAULT_POLICY}
    assert policies(storage) == {}


def test_a_policy_comes_back_as_it_was_decided_and_is_its_organisations_alone(storage):
    decide(storage, STRICT)

    assert policies(storage, ACME, GLOBEX) == {ACME: STRICT, GLOBEX: DEFAULT_POLICY}


def test_the_latest_policy_holds_and_all_of_them_are_history(storage):
    decide(storage, STRICT)
    decide(storage, DEFAULT_POLICY, NOON + hours(1))

    assert policies(storage, ACME) == {ACME: DEFAULT_POLICY}
    with storage.units.begin() as unit:
        assert unit.tracking.organization(ACME).version == 2


def test_who_said_nothing_has_no_consent(storage):
    assert consents(storage, ADA) == {}
    assert consents(storage) == {}


def test_what_people_said_comes_back_and_is_theirs_alone(storage):
    say(storage, {ADA: Consent.OPTED_OUT, BOB: Consent.OPTED_IN})

    assert consents(storage, ADA, BOB, addressee_id_for(GLOBEX, JOHN)) == {
        ADA: Consent.OPTED_OUT,
        BOB: Consent.OPTED_IN,
    }


def test_what_somebody_said_last_holds_and_all_of_it_is_history(storage):
    say(storage, {ADA: Consent.OPTED_OUT})
    say(storage, {ADA: Consent.OPTED_IN}, NOON + hours(1))

    assert consents(storage, ADA) == {ADA: Consent.OPTED_IN}
    with storage.units.begin() as unit:
        ada = unit.tracking.recipients([ADA])[ADA]
    assert (ada.version, ada.consent_changed_at, ada.consent_source) == (2, NOON + hours(1), ConsentSource.API)


def test_what_a_failed_transaction_decided_never_held(storage):
    def decide_and_fail():
        with storage.units.begin() as unit:
            organization = unit.tracking.organization(ACME)
            organization.change_policy(STRICT, changed_at=NOON, changed_by="u-1")
            unit.tracking.keep_policy(organization)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        decide_and_fail()

    assert policies(storage, ACME) == {ACME: DEFAULT_POLICY}


def test_many_may_record_at_once_and_one_alone_may_change(storage):
    with storage.units.begin() as one, storage.units.begin() as other:
        assert one.tracking.policies([ACME, GLOBEX]) == other.tracking.policies([GLOBEX, ACME])

    with storage.units.begin() as one, storage.units.begin() as other:
        one.tracking.stop_recording(ACME)
        other.tracking.stop_recording(GLOBEX)
