"""Tell whether an email was registered, also while the read models do not show it yet."""

from uuid import UUID

from application.ports.unit_of_work import UnitsOfWork


class IsRegistered:
    """Looks an email up where its registration is durable.

    Args:
        units: Begins transactions.
    """

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    def __call__(self, organization_id: UUID, email_id: UUID, *, hiring_manager_id: str | None = None) -> bool:
        """Whether this organisation registered the email.

        Args:
            organization_id: Another one's email is not found.
            email_id: As the registration answered it.
            hiring_manager_id: If given, only an email about a job that names this person is found.

        Raises:
            StoreUnavailableError: It cannot be told now.

        Source:
            ROLE: a hiring manager sees the jobs that name them, nothing else.
        """
        with self._units.begin() as unit:
            registered = unit.registrations([email_id]).get(email_id)
        if registered is None or registered.sent.organization_id != organization_id:
            return False
        if hiring_manager_id is None:
            return True
        return registered.sent.job is not None and registered.sent.job.hiring_manager_id == hiring_manager_id
