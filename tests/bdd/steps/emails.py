"""Teams and the emails that they sent."""

from pytest_bdd import given, parsers, when

from tests.bdd.tables import rows_of


@given(parsers.parse("{name}, a recruiting team that sends by {provider}"))
def a_team(scene, name, provider):
    scene.add_team(name, provider)


@given("these emails were sent:")
@when("these emails are registered:")
def emails_were_sent(scene, datatable):
    send(scene.team, datatable)


@given(parsers.parse("{name} sent these emails:"))
@when(parsers.parse("{name} registers these emails:"))
def emails_of_a_team_were_sent(scene, name, datatable):
    send(scene.teams[name], datatable)


def send(team, datatable):
    team.register([team.describe(row) for row in rows_of(datatable)])
