"""What one scenario knows: its moments, its teams, the answers it got."""

from contextlib import ExitStack

import httpx

from tests.bdd.moments import Moments
from tests.bdd.recruiting_team import Team


class Scene:
    """Begins with every scenario; nothing of it outlives the scenario but what the service keeps of its teams.

    Args:
        service: The running service.
    """

    def __init__(self, service):
        self.service = service
        self.moments = Moments()
        self.teams = {}
        self.posts = []
        self.answers = []
        self.refusals_before = 0.0
        self.retried = ""
        self.mails = {}
        self.landed = None
        self.seen = ""
        self.way = None
        self.mail = b""
        self.reports_before = {}
        self.outage = ExitStack()
        self._set_aside_before = service.set_aside()

    @property
    def team(self):
        """The team that the scenario is about: the first one it names."""
        return next(iter(self.teams.values()))

    def add_team(self, name, provider):
        team = self.teams[name] = Team(self.service, self.moments, name, provider)
        return team

    def deliver(self, posts, *, team=None, path=None, sender=None):
        """Have the provider post, and keep what it was answered."""
        team = team or self.team
        self.posts = posts
        self.answers = [
            self.service.deliver(path or team.endpoint["path"], *post.signed(), sender=sender) for post in posts
        ]

    def assert_acknowledged(self):
        assert self.answers, "nothing was posted"
        refused = [f"{one.status_code} {one.text}" for one in self.answers if one.status_code != httpx.codes.OK]
        assert not refused, f"{len(refused)} of {len(self.answers)} deliveries were not acknowledged: {refused[:3]}"

    def settle(self, *read_models):
        """Wait until the service has worked off what it acknowledged; the ranking follows at a slower pace."""
        for team in self.teams.values():
            self.service.settle(team.organization_id, ("engagement", *read_models))
        # A read model that drops what it cannot take in may look right for a wrong reason.
        new = [event for event in self.service.set_aside() if event not in self._set_aside_before]
        assert not new, f"read models set events aside: {new}"

    def end(self):
        """End what would hold up the next scenario."""
        self.outage.close()
