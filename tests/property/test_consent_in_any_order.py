"""Whatever people say and providers report, in whatever order: nothing is recorded between an opt-out and an opt-in."""

from hypothesis import given
from hypothesis import strategies as st

from application.tracking_consents import TrackingConsents
from application.tracking_policies import TrackingPolicies
from domain.tracking_terms import DEFAULT_POLICY, Consent, TrackingTerms
from tests.support.core import item, registration
from tests.support.drain_scene import DrainScene
from tests.support.emails import ACME, JOB_AD, JOHN, NOON, seconds

ENGAGED = {"Opened", "Clicked"}

reports = st.tuples(
    st.just("report"), st.sampled_from(["open", "click", "delivered", "unsubscribe"]), st.sampled_from(["m-1", "m-2"])
)
consents = st.tuples(st.just("consent"), st.sampled_from(Consent))
policies = st.tuples(
    st.just("policy"),
    st.fixed_dictionaries(
        {},
        optional={
            "tracking_enabled": st.booleans(),
            "privacy_mode": st.booleans(),
            "consent_mode": st.sampled_from(["opt_out", "opt_in"]),
            "unsubscribe_ends_tracking": st.booleans(),
        },
    ),
)
acts = st.lists(
    reports
    | consents
    | policies
    | st.just(("drain",))
    | st.tuples(st.just("register"), st.sampled_from(["m-1", "m-2"])),
    max_size=25,
)


class Story:
    def __init__(self):
        self.scene = DrainScene()
        self.consents = TrackingConsents(self.scene.units, lambda: NOON)
        self.policies = TrackingPolicies(self.scene.units, lambda: NOON)
        self.said = 0

    def act(self, act):
        match act:
            case ("report", kind, message_id):
                self.said += 1
                told = {"url": JOB_AD} if kind == "click" else {}
                self.scene.receive(item(kind, NOON + seconds(self.said), message_id, **told))
            case ("consent", consent):
                self.consents.change(ACME, JOHN, consent, changed_by="u-1")
            case ("policy", fields):
                self.policies.change(ACME, fields, changed_by="u-1")
            case ("register", message_id):
                self.scene.register(registration(message_id))
            case ("drain",):
                self.scene.drain.drain_all()


def terms_at_each_fact(log):
    """Every fact with the terms that held when it was recorded."""
    policy, consent = DEFAULT_POLICY, None
    for logged in log:
        match type(logged.fact).__name__:
            case "TrackingPolicyChanged":
                policy = logged.fact.policy
            case "ConsentChanged":
                consent = logged.fact.consent
        yield logged, TrackingTerms(policy, consent)


@given(acts)
def test_no_open_and_no_click_is_recorded_against_anybodys_will(told):
    story = Story()
    for act in [*told, ("drain",)]:
        story.act(act)

    for logged, terms in terms_at_each_fact(story.scene.store.log):
        if type(logged.fact).__name__ in ENGAGED:
            assert terms.refusal == ""
            assert logged.fact.withheld or not terms.policy.privacy_mode


@given(acts)
def test_every_report_is_accounted_for_and_what_is_no_engagement_is_always_recorded(told):
    story = Story()
    for act in [*told, ("register", "m-1"), ("register", "m-2"), ("drain",)]:
        story.act(act)

    kinds = [type(logged.fact).__name__ for logged in story.scene.store.log]
    asked = [act[1] for act in told if act[0] == "report"]
    assert kinds.count("Delivered") == asked.count("delivered")
    assert kinds.count("Unsubscribed") == asked.count("unsubscribe")
    passed_over = sum(count for outcome, count in story.scene.store.outcomes.items() if outcome.startswith("ignored_"))
    assert sum(kinds.count(kind) for kind in ENGAGED) + passed_over == asked.count("open") + asked.count("click")
    assert story.scene.parked() == []


@given(acts)
def test_what_holds_now_is_what_was_decided_last(told):
    story = Story()
    for act in told:
        story.act(act)

    *_, (_, terms) = [(None, TrackingTerms()), *terms_at_each_fact(story.scene.store.log)]
    assert story.policies.of(ACME) == terms.policy
    held = story.consents.of(ACME, JOHN)
    assert held.consent is (terms.consent or terms.policy.presumed_consent)
