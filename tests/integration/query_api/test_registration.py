import pytest

from tests.support.query_world import CAMPAIGN

PATH = "/api/v1/emails"


def an_email(number, **changes):
    return {
        "provider": "sendgrid",
        "message_id": f"registered-{number}",
        "sent_at": "2026-11-21T09:00:00Z",
        "subject": "Hello",
        "recipient": {"type": "Contact", "id": f"n-{number}", "email": f"n{number}@example.com"},
        "sender": {"id": "r-1"},
    } | changes


def test_an_email_is_registered_once_however_often_it_is_told(recruiter):
    first, again = (recruiter.post(PATH, an_email(1)) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json()["status"], again.json()["status"]) == ("registered", "already_registered")
    for field in ("email_id", "email_log_id", "tracking_id"):
        assert first.json()[field] == again.json()[field]


def test_one_bad_email_costs_the_others_nothing(recruiter):
    emails = [
        an_email(10),
        an_email(11, provider="pigeon"),
        {"nonsense": True},
        7,
        an_email(12, sent_at="2026-11-21T09:00:00"),
        an_email(13, subject="a\x00b"),
        an_email(14, sent_at="0001-01-01T00:00:00+14:00"),
        an_email(15),
    ]

    answer = recruiter.post(PATH, {"emails": emails})

    assert answer.status_code == 201
    assert [item["status"] for item in answer.json()["items"]] == ["registered", *["rejected"] * 6, "registered"]
    fields = [item.get("field") for item in answer.json()["items"]]
    assert fields == [None, "provider", "provider", "", "sent_at", "subject", "sent_at", None]
    assert all(item["detail"] for item in answer.json()["items"] if item["status"] == "rejected")


def test_a_single_bad_email_names_its_field(recruiter):
    answer = recruiter.post(PATH, an_email(20, recipient={"id": "n-20", "email": "nowhere"}))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "recipient.email"


def test_a_thousand_emails_are_taken_and_one_more_is_refused(recruiter):
    thousand = [an_email(f"many-{number}") for number in range(1_000)]

    taken = recruiter.post(PATH, {"emails": thousand})
    refused = recruiter.post(PATH, {"emails": [*thousand, an_email("one-more")]})

    assert [item["status"] for item in taken.json()["items"]] == ["registered"] * 1_000
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "emails"


@pytest.mark.parametrize("body", [{"emails": None}, {"emails": {}}, {"emails": "x"}, {}])
def test_a_body_of_another_shape_is_refused(body, recruiter):
    assert recruiter.post(PATH, body).status_code == 422


def test_no_emails_are_no_mistake(recruiter):
    answer = recruiter.post(PATH, {"emails": []})

    assert (answer.status_code, answer.json()) == (201, {"items": []})


def test_two_organisations_register_the_same_email_as_two(recruiter, stranger):
    ours, theirs = (
        caller.post(PATH, an_email(30, campaign_id=str(CAMPAIGN))).json() for caller in (recruiter, stranger)
    )

    assert ours["email_id"] != theirs["email_id"]
    assert theirs["status"] == "registered"


def test_non_utf8_inside_one_email_costs_the_others_nothing(recruiter):
    import msgspec

    good = msgspec.json.encode(an_email(40))
    bad = msgspec.json.encode(an_email(41)).replace(b"Hello", b"\xff\xfe")

    answer = recruiter.post(
        PATH, content=b'{"emails":[' + bad + b"," + good + b"]}", headers={"Content-Type": "application/json"}
    )

    assert [item["status"] for item in answer.json()["items"]] == ["rejected", "registered"]
