"""What providers report, as often and in whatever order they like."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from pytest_bdd import given, parsers, then, when

from tests.bdd.recruiting_team import SentEmail, address_of
from tests.bdd.tables import rows_of


@given("the provider reported:")
@when("the provider reports:")
def the_provider_reports(scene, datatable):
    scene.deliver(scene.team.provider.posts(happenings(scene.team, datatable)))
    scene.assert_acknowledged()


@when(parsers.parse("the provider of {name} reports:"))
def the_provider_of_a_team_reports(scene, name, datatable):
    team = scene.teams[name]
    scene.deliver(team.provider.posts(happenings(team, datatable)), team=team)
    scene.assert_acknowledged()


@when("the provider reports one by one:")
def the_provider_reports_one_by_one(scene, datatable):
    told = happenings(scene.team, datatable)
    scene.deliver([post for one in told for post in scene.team.provider.posts([one])])
    scene.assert_acknowledged()


@given(parsers.parse('the provider reported about emails that nobody registered, with message id "{message_id}":'))
@when(parsers.parse('the provider reports about emails that nobody registered, with message id "{message_id}":'))
def the_provider_reports_about_unknown_emails(scene, message_id, datatable):
    rows = rows_of(datatable)
    told = [scene.team.happening(row, stranger(row["to"], message_id)) for row in rows]
    scene.deliver(scene.team.provider.posts(told))
    scene.assert_acknowledged()


@when(parsers.parse("the provider repeats all of this {times:d} times"))
def the_provider_repeats(scene, times):
    scene.deliver(scene.posts * times)
    scene.assert_acknowledged()


@when(parsers.parse("the provider repeats all of this {times:d} times at once"))
def the_provider_repeats_at_once(scene, times):
    team = scene.team
    # Signed before, posted together: the deliveries meet in the service, not here.
    signed = [post.signed() for post in scene.posts * times]
    with ThreadPoolExecutor(8) as posting:
        scene.answers = list(posting.map(lambda one: scene.service.deliver(team.endpoint["path"], *one), signed))
    scene.assert_acknowledged()


@when(parsers.parse("the provider repeats all of this {times:d} times, shuffled"))
def the_provider_repeats_shuffled(scene, times):
    posts = scene.posts * times
    random.Random(558).shuffle(posts)
    scene.deliver(posts)
    scene.assert_acknowledged()


@when(parsers.parse("the provider repeats all of this with the signature of {hours:d} hours ago"))
def the_provider_repeats_an_old_delivery(scene, hours):
    signed_at = scene.moments.now - timedelta(hours=hours)
    scene.answers = [
        scene.service.deliver(scene.team.endpoint["path"], *post.signed(now=signed_at)) for post in scene.posts
    ]


@when(parsers.parse("the provider reports {count:d} times that {to} opened the email, under {count_again:d} numbers"))
def the_provider_reports_many(scene, count, to, count_again):
    row = {"to": to, "what happened": "opened", "when": "1 hour ago"}
    told = [scene.team.happening(row) for _ in range(count_again)] * (count // count_again)
    scene.deliver(scene.team.provider.posts(told))
    scene.assert_acknowledged()


@then("every report is acknowledged")
def every_report_is_acknowledged(scene):
    scene.assert_acknowledged()


def happenings(team, datatable):
    return [team.happening(row) for row in rows_of(datatable)]


def stranger(to, message_id):
    """An email that the provider knows of and the service does not."""
    return SentEmail(to=to, subject="", email_id="", email_log_id=0, message_id=message_id, address=address_of(to))
