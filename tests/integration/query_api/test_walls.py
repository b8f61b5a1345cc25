"""Organisations are walls; hiring managers see the jobs that name them, nothing else."""

import asyncio
import re
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.query_pool import ScopedDatabase, query_pool
from application.fingerprints import fingerprint_of
from application.ports.access_tokens import Role
from entrypoints.web import erasure
from entrypoints.web.auth import OPERATOR
from tests.support.outgoing import insert_a_delivery, insert_deliveries
from tests.support.page_browser import Browser
from tests.support.query_world import (
    CAMPAIGN,
    LINK,
    MANAGER,
    NAMED_JOB,
    OTHER_JOB,
    OTHER_LINK,
    OURS,
    THEIR_CAMPAIGN,
    THEIRS,
    UNTRACKED_CAMPAIGN,
    email_id,
)
from tests.support.routes import api_operations, filled, page_operations, unknown_ids
from tests.support.signed_deliveries import SIGNERS

OUR_KEY, THEIR_KEY = SIGNERS["email"].key, SIGNERS["email"].other_key
SCOPED_TABLES = (
    *("public.automated_engagement", "public.campaign_contacts", "public.campaigns", "public.candidate_scores"),
    *("public.email_engagement_events", "public.email_links", "public.email_logs", "public.email_totals"),
    *("public.organization_totals", "public.mailing_totals"),
    *("public.engagement_tracking", "public.jobs", "public.templates", "ops.parked_reports"),
    *("ops.last_receptions", "ops.tracking_consents", "public.notifications", "ops.notification_preferences"),
    *("ops.outgoing_deliveries", "ops.outgoing_attempts"),
)


def reading(database_url, organization, query):
    async def read():
        async with query_pool(database_url, size=1) as pool, ScopedDatabase(pool).reading(organization) as connection:
            return await (await connection.execute(query)).fetchall()

    return asyncio.run(read())


@pytest.fixture
def parked_by_both(administrator_url, backend):
    with psycopg.connect(administrator_url) as connection:
        for organization in (OURS, THEIRS):
            connection.execute("INSERT INTO ops.last_receptions VALUES (%s, %s, now())", (organization, uuid4()))
            connection.execute(
                "INSERT INTO ops.parked_reports (organization_id, endpoint_id, provider, status, fingerprint, reason,"
                " delivery_id, received_at) VALUES (%s, %s, 'sendgrid', 'failed', %s, 'r', 1, now())",
                (organization, uuid4(), uuid4().bytes),
            )
            connection.execute(
                "INSERT INTO ops.tracking_consents VALUES (%s, %s, 'opted_out', 'api', now())", (uuid4(), organization)
            )
            connection.execute(
                "INSERT INTO notifications (id, organization_id, user_id, kind, occurred_at, title, text, url,"
                " created_at) VALUES (%s, %s, 'r-1', 'open', now(), '', '', '', now())",
                (uuid4(), organization),
            )
            connection.execute(
                "INSERT INTO ops.notification_preferences VALUES (%s, 'r-1', '{}', now())", (organization,)
            )
            insert_a_delivery(connection, organization)
    yield
    with psycopg.connect(administrator_url) as connection:
        connection.execute("DELETE FROM ops.parked_reports")
        connection.execute("DELETE FROM ops.tracking_consents")
        connection.execute("DELETE FROM notifications; DELETE FROM ops.notification_preferences")
        connection.execute("DELETE FROM ops.outgoing_webhooks")


def test_every_table_with_rows_of_organisations_is_behind_forced_row_security(database_url, backend):
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT c.oid::regclass::text AS name, n.nspname, c.relrowsecurity AND c.relforcerowsecurity, r.rolsuper"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner"
            " WHERE c.relkind = 'r' AND has_table_privilege('mailpulse_query', c.oid, 'SELECT')"
            " AND n.nspname IN ('public', 'ops', 'events')"
        ).fetchall()

    names = {name if "." in name else f"{schema}.{name}" for name, schema, *_ in found}
    assert names == set(SCOPED_TABLES)
    assert all(forced and not owner_is_superuser for *_, forced, owner_is_superuser in found)


@pytest.mark.parametrize("table", SCOPED_TABLES)
def test_a_query_that_forgets_its_where_sees_its_own_organisation_only(
    table, administrator_url, database_url, parked_by_both
):
    with psycopg.connect(administrator_url) as connection:
        everybody = {row[0] for row in connection.execute(f"SELECT DISTINCT organization_id FROM {table}")}

    seen = {row["organization_id"] for row in reading(database_url, OURS, f"SELECT organization_id FROM {table}")}

    assert seen == {OURS}
    assert everybody == {OURS, THEIRS} or table == "public.automated_engagement", "else this shows nothing"


def test_a_scope_can_read_nothing_but_the_answers(database_url, backend):
    for forbidden in (
        *("ops.access_tokens", "ops.webhook_endpoints", "ops.webhook_inbox", "events.stored_events"),
        "ops.outgoing_webhooks",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reading(database_url, OURS, f"SELECT * FROM {forbidden}")


def test_a_scope_cannot_write(database_url, backend):
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reading(database_url, OURS, "CREATE TEMPORARY TABLE anything (id integer)")


def test_a_scope_ends_with_its_transaction(database_url, backend):
    async def leftovers():
        async with query_pool(database_url, size=1) as pool:
            async with ScopedDatabase(pool).reading(OURS):
                pass
            async with pool.connection() as connection:
                cursor = await connection.execute(
                    "SELECT current_user AS role, ops.current_organization() AS organization"
                )
                return await cursor.fetchone()

    left = asyncio.run(leftovers())

    assert left["organization"] is None
    assert left["role"] != "mailpulse_query"


FOREIGN = (
    f"/api/v1/emails/{email_id('named')}",
    f"/api/v1/emails/{email_id('named')}/events",
    "/api/v1/candidates/c-2/engagement",
    "/api/v1/candidates/c-2/links",
    f"/api/v1/campaigns/{CAMPAIGN}/engagement",
    f"/api/v1/campaigns/{CAMPAIGN}/links",
    f"/api/v1/jobs/{OTHER_JOB}/engagement",
    f"/api/v1/jobs/{OTHER_JOB}/links",
)


@pytest.mark.parametrize("path", FOREIGN)
def test_what_is_another_organisations_is_not_there(path, admin, stranger):
    assert admin.get(path).status_code == 200

    answer = stranger.get(path)

    assert answer.status_code == 404
    assert "problem+json" in answer.headers["content-type"]


@pytest.mark.parametrize("path", FOREIGN)
def test_foreign_and_unknown_look_the_same(path, stranger):
    unknown = (
        path.replace("c-2", "nobody")  # first: an id may hold it by chance
        .replace(OTHER_JOB, "nothing")
        .replace(str(email_id("named")), str(uuid4()))
        .replace(str(CAMPAIGN), str(uuid4()))
    )

    foreign, missing = stranger.get(path).json(), stranger.get(unknown).json()

    foreign.pop("request_id"), missing.pop("request_id")
    assert foreign == missing


@pytest.mark.parametrize(
    "path, parameters",
    [
        ("/api/v1/emails", {}),
        ("/api/v1/emails", {"campaign_id": str(CAMPAIGN)}),
        ("/api/v1/candidates", {}),
        ("/api/v1/candidates/c-1/engagement", {}),
        ("/api/v1/candidates/c-1/links", {}),
        ("/api/v1/jobs/j-named/links", {}),
        ("/api/v1/templates/t-1/engagement", {}),
        ("/api/v1/templates/t-1/links", {}),
        ("/api/v1/contacts/engaged", {"min_clicks": 0}),
        ("/api/v1/webhook-deliveries", {}),
        ("/api/v1/api-keys", {}),
        ("/api/v1/webhook-endpoints", {}),
    ],
)
def test_ids_that_two_organisations_share_never_mix_their_answers(path, parameters, stranger, admin, parked_by_both):
    theirs, ours = stranger.get(path, **parameters).text, admin.get(path, **parameters).text

    assert "Subject named" not in theirs
    assert "Subject theirs" not in ours
    assert "example.org/secret" not in ours
    assert "example.com/interviews" not in theirs
    assert str(THEIR_CAMPAIGN) not in ours
    assert f'"{CAMPAIGN}"' not in theirs


@pytest.fixture
def our_ids(admin, administrator_url, backend):
    """An id of ours for every parameter that a path has; the caller's own strings are ids that only we use."""
    key = admin.post("/api/v1/api-keys", {"name": "ours"}).json()["api_key_id"]
    webhook = admin.post("/api/v1/outgoing-webhooks", {"url": "https://ours.example.com/"}).json()["webhook"]
    endpoint = admin.post("/api/v1/webhook-endpoints", {"provider": "email", "keys": [OUR_KEY]}).json()
    session = admin.post("/api/v1/user-sessions", {"user_id": "r-9", "role": "recruiter"}).json()
    ids = {
        "api_key_id": key,
        "key_id": key,
        "email_id": str(email_id("second")),
        "campaign_id": str(CAMPAIGN),
        "candidate_id": "c-2",
        "job_id": OTHER_JOB,
        "template_id": "t-ours",
        "email": "c-2@example.com",
        "endpoint_id": endpoint["endpoint_id"],
        "fingerprint": fingerprint_of(OUR_KEY),
        "webhook_id": webhook["webhook_id"],
        "session_id": session["session_id"],
        "session_token": session["token"],
        "notification_id": str(uuid4()),
    }
    with psycopg.connect(administrator_url, autocommit=True) as connection:
        insert_deliveries(connection, OURS, ids["webhook_id"])
        (ids["delivery_id"],) = connection.execute(
            "SELECT max(id) FROM ops.outgoing_deliveries WHERE webhook_id = %s", (ids["webhook_id"],)
        ).fetchone()
        (ids["report_id"],) = connection.execute(
            "INSERT INTO ops.parked_reports (organization_id, endpoint_id, provider, status, fingerprint, reason,"
            " delivery_id, received_at) VALUES (%s, %s, 'email', 'failed', %s, 'r', 1, now()) RETURNING id",
            (OURS, ids["endpoint_id"], uuid4().bytes),
        ).fetchone()
        connection.execute(
            "INSERT INTO notifications (id, organization_id, user_id, kind, occurred_at, title, text, url, created_at)"
            " VALUES (%s, %s, %s, 'open', now(), '', '', '', now())",
            (ids["notification_id"], OURS, MANAGER),
        )
        connection.execute(
            "INSERT INTO email_totals (organization_id, sent_quarter, job_id, campaign_id, template_id, sent)"
            " VALUES (%s, '2026-01-01', '', %s, 't-ours', 1)",
            (OURS, UUID(int=0)),
        )
        yield ids
        connection.execute(
            "DELETE FROM ops.outgoing_webhooks; DELETE FROM ops.parked_reports; DELETE FROM notifications;"
            "DELETE FROM ops.tracking_consents; DELETE FROM email_totals WHERE template_id = 't-ours';"
            "DELETE FROM events.stored_events WHERE topic ~ '^Recipient'"
        )


ABOUT_AN_ADDRESS = "/api/v1/recipients/"
"""Every organisation may say something about any address, and learns nothing from it."""


def told_of(answer, template, ids):
    """Give an answer without what is of the request alone: its id, and the ids that it asked for."""
    told = {name: value for name, value in answer.json().items() if name != "request_id"}
    for name in re.findall(r"{(\w+)}", template):
        told["detail"] = told["detail"].replace(str(ids[name]), name)
    return told


def test_with_real_ids_of_another_organisation_every_operation_answers_as_with_unknown_ones(  # noqa: PLR0917
    client, admin, stranger, with_token, our_ids, monkeypatch, monotonic
):
    monkeypatch.setattr(erasure, "SECONDS_BETWEEN_LOOKS", 0.0)  # nobody projects here, so nobody is waited for
    document = client.get("/schema/openapi.json").json()["paths"]
    of_one = [operation for operation in operations(client) if operation.has_parameters]
    lists = ("api-keys", "webhook-endpoints", "outgoing-webhooks", "webhook-deliveries", "notifications")
    shown = [filled(template, **our_ids) for _, method, template in of_one if method == "GET"]
    shown += [f"/api/v1/{name}" for name in lists]
    before = [admin.get(path) for path in shown]

    def ask(method, template, ids):
        body = document[template][method.lower()].get("requestBody", {"content": {}})
        example = body["content"].get("application/json", {}).get("example")
        path = filled(template, **ids)
        return client.request(method, path, json=example, headers=stranger.headers)

    unknown = unknown_ids()
    answers = [
        (method, template, ask(method, template, our_ids), ask(method, template, unknown))
        for _, method, template in of_one
    ]
    monotonic.now += 6  # a token that was revoked would not open anything any more

    assert {answer.status_code for answer in before} == {200}, "these ids are real"
    allowed = [(method, template) for method, template, foreign, _ in answers if foreign.status_code != 404]
    assert [template for _, template in allowed if not template.startswith(ABOUT_AN_ADDRESS)] == []
    assert [foreign.status_code for _, _, foreign, _ in answers] == [missing.status_code for *_, missing in answers]
    refused = [answer for answer in answers if answer[2].status_code == 404]
    assert {(method, path): told_of(foreign, path, our_ids) for method, path, foreign, _ in refused} == {
        (method, path): told_of(missing, path, unknown) for method, path, _, missing in refused
    }
    assert [admin.get(path).json() for path in shown] == [answer.json() for answer in before], "nothing of ours changed"
    assert with_token(our_ids["session_token"]).get("/api/v1/emails").status_code == 200


def test_with_real_ids_of_another_organisation_every_page_answers_as_with_unknown_ones(
    client, admins_browser, stranger, our_ids
):
    strangers_browser = Browser(client.app)
    session = stranger.post("/api/v1/user-sessions", {"user_id": "u-1", "role": "admin"}).json()
    strangers_browser.sign_in(session["url"])
    fields = {
        "csrf": strangers_browser.csrf(),
        "url": "https://theirs.example.com/",
        "kind_open": "yes",
        "key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    of_one = [operation for operation in page_operations(client.app) if operation.has_parameters]
    shown = [filled(template, **our_ids) for _, method, template in of_one if method == "GET"]
    before = [admins_browser.get(path) for path in shown]

    def ask(method, template, ids):
        path = filled(template, **ids)
        answer = strangers_browser.get(path) if method == "GET" else strangers_browser.post(path, fields)
        leads_to = answer.headers.get("location", "").replace(str(ids["webhook_id"]), "{webhook_id}")
        return answer.status_code, leads_to, answer.text

    answers = {
        (method, template): (ask(method, template, our_ids), ask(method, template, unknown_ids()))
        for _, method, template in of_one
    }

    assert ("POST", "/settings/outgoing/{webhook_id}") in answers
    assert {answer.status_code for answer in before} == {200}, "these ids are real"
    assert {where: foreign[:2] for where, (foreign, _) in answers.items()} == {
        where: unknown[:2] for where, (_, unknown) in answers.items()
    }
    assert {foreign[0] for foreign, _ in answers.values()} <= {303, 404}
    assert [where for where, (foreign, _) in answers.items() if "Subject second" in foreign[2]] == []
    assert [admins_browser.get(path).text for path in shown] == [answer.text for answer in before], "nothing changed"


def test_what_one_organisation_configures_another_cannot_touch(admin, stranger):
    key = admin.post("/api/v1/api-keys", {"name": "ours"}).json()
    endpoint = admin.post("/api/v1/webhook-endpoints", {"provider": "email", "keys": [OUR_KEY]}).json()
    session = admin.post("/api/v1/user-sessions", {"user_id": "r-9", "role": "recruiter"}).json()

    refused = [
        stranger.delete(f"/api/v1/api-keys/{key['api_key_id']}"),
        stranger.delete(f"/api/v1/webhook-endpoints/{endpoint['endpoint_id']}"),
        stranger.post(f"/api/v1/webhook-endpoints/{endpoint['endpoint_id']}/keys", {"key": THEIR_KEY}),
        stranger.delete(f"/api/v1/webhook-endpoints/{endpoint['endpoint_id']}/keys/{fingerprint_of(OUR_KEY)}"),
        stranger.delete(f"/api/v1/user-sessions/{session['session_id']}"),
    ]

    assert {answer.status_code for answer in refused} == {404}
    kept = {key["api_key_id"]: key["revoked_at"] for key in admin.get("/api/v1/api-keys").json()["items"]}
    assert kept[key["api_key_id"]] is None
    assert endpoint in admin.get("/api/v1/webhook-endpoints").json()["items"], "open, with its key and no other"


def test_a_parked_report_is_retried_by_its_own_organisation_only(admin, stranger, parked_by_both):
    (report,) = admin.get("/api/v1/webhook-deliveries").json()["items"]

    assert stranger.post(f"/api/v1/webhook-deliveries/{report['id']}/retry").status_code == 404
    assert admin.get("/api/v1/webhook-deliveries").json()["items"] == [report]


# --- hiring managers ---

UNSEEN = ("other", "second", "untracked", "old")


def test_a_hiring_manager_lists_only_emails_about_jobs_that_name_them(manager):
    emails = manager.get("/api/v1/emails").json()["items"]

    assert {email["email_id"] for email in emails} == {str(email_id("named")), str(email_id("dropped"))}


@pytest.mark.parametrize("name", UNSEEN)
def test_an_email_about_another_job_is_not_there_for_a_hiring_manager(name, manager, recruiter):
    for path in (f"/api/v1/emails/{email_id(name)}", f"/api/v1/emails/{email_id(name)}/events"):
        assert recruiter.get(path).status_code == 200
        assert manager.get(path).status_code == 404


def test_a_hiring_managers_score_counts_the_emails_they_see_and_no_others(manager, recruiter):
    theirs = manager.get("/api/v1/candidates/c-1/engagement").json()
    everything = recruiter.get("/api/v1/candidates/c-1/engagement").json()

    assert (everything["emails_sent"], theirs["emails_sent"]) == (2, 1)
    assert (everything["score_parts"]["replies"], theirs["score_parts"]["replies"]) == (10, 0)
    assert {activity["subject"] for activity in theirs["recent_activity"]} == {"Subject named"}


def test_a_hiring_manager_ranks_only_candidates_of_their_jobs(manager):
    ranking = manager.get("/api/v1/candidates").json()

    assert [candidate["candidate_id"] for candidate in ranking["items"]] == ["c-1", "c-3"]
    assert ranking["levels"] == {"hot": 1, "warm": 0, "cold": 1, "unmeasured": 0}


@pytest.mark.parametrize(
    "path",
    ["candidates/c-2/engagement", "candidates/c-2/links", f"jobs/{OTHER_JOB}/engagement", f"jobs/{OTHER_JOB}/links"],
)
def test_candidates_and_jobs_of_others_are_not_there_for_a_hiring_manager(path, manager, recruiter):
    assert recruiter.get(f"/api/v1/{path}").status_code == 200
    assert manager.get(f"/api/v1/{path}").status_code == 404


def test_a_campaign_without_a_job_of_theirs_is_not_there_for_a_hiring_manager(manager, recruiter):
    path = f"/api/v1/campaigns/{UNTRACKED_CAMPAIGN}/engagement"

    assert recruiter.get(path).status_code == 200
    assert manager.get(path).status_code == 404


@pytest.mark.parametrize("of", [f"campaigns/{CAMPAIGN}", "templates/t-1"])
def test_a_hiring_managers_metrics_are_of_their_jobs(of, manager):
    metrics = manager.get(f"/api/v1/{of}/engagement").json()
    links = manager.get(f"/api/v1/{of}/links").json()["items"]

    assert (metrics["sent"], metrics["total_clicks"], metrics["replied"]) == (1, 2, 0)
    assert {link["url"] for link in links} == {"https://example.com/interviews/1"}


def test_the_links_of_a_candidate_are_for_a_hiring_manager_those_of_their_jobs(manager, recruiter):
    links = {
        caller: {(one["url"], one["click_count"]) for one in answer.json()["items"]}
        for caller, answer in (
            ("manager", manager.get("/api/v1/candidates/c-1/links", group_by="url")),
            ("recruiter", recruiter.get("/api/v1/candidates/c-1/links", group_by="url")),
        )
    }

    assert links["manager"] == {(LINK, 2)}
    assert links["recruiter"] == {(LINK, 2), (OTHER_LINK, 1)}


def test_a_hiring_managers_contacts_are_of_their_jobs(manager):
    contacts = manager.get("/api/v1/contacts/engaged", min_clicks=0).json()["items"]

    assert contacts == [
        {"contact_id": "c-1", "opens": 1, "clicks": 2, "machine_open_count": 1, "scanner_click_count": 1},
        {"contact_id": "c-3", "opens": 0, "clicks": 0, "machine_open_count": 0, "scanner_click_count": 0},
    ]


STREAM = "/api/v1/notifications/stream"
"""Never ends; tests/integration/live shows for whom it is."""


def test_a_crawl_by_a_hiring_manager_finds_nothing_of_other_jobs(manager, client):
    secrets = [str(email_id(name)) for name in UNSEEN] + [f"Subject {name}" for name in UNSEEN] + [OTHER_JOB, "jobs/7"]
    ids = [str(email_id(name)) for name in ("named", "dropped", *UNSEEN)]
    found = []
    for template in client.get("/schema/openapi.json").json()["paths"]:
        if template == STREAM:
            continue
        path = template.replace("{candidate_id}", "c-1").replace("{job_id}", NAMED_JOB).replace("{template_id}", "t-1")
        path = path.replace("{campaign_id}", str(CAMPAIGN)).replace("{report_id}", "1")
        for one in ids if "{email_id}" in path else [""]:
            answer = manager.ask("GET", path.replace("{email_id}", one))
            found += [(path, secret) for secret in secrets if template.startswith("/api") and secret in answer.text]

    assert found == []


# --- roles ---


def operations(client):
    return [operation for operation in api_operations(client.app) if operation.template != STREAM]


def test_every_operation_of_the_api_says_for_whom_it_is(client):
    assert {method for _, method, _ in operations(client)} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert all("roles" in opt for opt, _, _ in operations(client))


@pytest.mark.parametrize("role", Role)
def test_every_operation_answers_its_roles_and_refuses_the_others(role, client, with_token, tokens):
    caller = with_token(tokens[THEIRS, role])
    wrong = []
    for opt, method, template in operations(client):
        status = caller.ask(method, filled(template)).status_code
        if (status == 403) == (role in opt["roles"]):
            wrong.append((method, template, status))

    assert wrong == []


def test_only_administrators_configure_and_hiring_managers_register_nothing(client):
    rights = {(method, path): opt["roles"] for opt, method, path in operations(client)}

    assert rights["POST", "/api/v1/emails"] == {Role.RECRUITER, Role.ADMIN}
    for kind in ("api-keys", "webhook-endpoints", "user-sessions", "outgoing-webhooks"):
        assert rights["POST", f"/api/v1/{kind}"] == {Role.ADMIN}
    keys = "/api/v1/webhook-endpoints/{endpoint_id}/keys"
    assert rights["POST", keys] == rights["DELETE", f"{keys}/{{fingerprint}}"] == {Role.ADMIN}
    assert rights["GET", "/api/v1/webhook-deliveries"] == {Role.ADMIN}
    assert rights["POST", "/api/v1/organizations"] == OPERATOR["roles"] == set()


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer nonsense", "Bearer mp_key_" + "a" * 43]
)
def test_without_a_valid_token_every_operation_is_a_401(header, client):
    headers = {} if header is None else {"Authorization": header}
    for _, method, template in operations(client):
        answer = client.request(method, filled(template), headers=headers)

        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="mailpulse"')


def test_a_manager_without_an_id_sees_nothing(backend, database_url):
    from adapters.postgres.queries.emails import PostgresEmailQueries
    from read_models.audience import Audience
    from read_models.emails.queries import EmailFilter
    from read_models.paging import PageRequest

    async def history():
        async with query_pool(database_url, size=1) as pool:
            queries = PostgresEmailQueries(ScopedDatabase(pool))
            audience = Audience(organization_id=OURS, hiring_manager_id="")
            return await queries.history(audience, EmailFilter(), PageRequest(limit=10))

    assert asyncio.run(history()).items == []
    assert MANAGER
