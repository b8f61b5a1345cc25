"""The ``mailpulse`` command."""

import sys

import click

from domain.errors import MailpulseError
from entrypoints.commands import access, deliveries, outgoing, programs, projections, upkeep, webhooks
from entrypoints.commands.frame import fail


def main() -> None:
    """Run the command line; an error is one line on stderr and exit status 1."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except MailpulseError as error:
        fail(str(error))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mailpulse")
def cli() -> None:
    """Mailpulse tells recruiting teams which candidates are interested in their emails.

    Settings come from MAILPULSE_… environment variables; without MAILPULSE_DATABASE_URL and MAILPULSE_REDIS_URL it
    brings its own PostgreSQL and Redis, with their data in MAILPULSE_DATA_DIR (./var).
    """


for command in (
    programs.up,
    programs.web,
    programs.worker,
    programs.projector,
    programs.migrate,
    access.org,
    webhooks.webhook,
    outgoing.outgoing_webhooks,
    access.user,
    access.key,
    upkeep.secret_keys,
    projections.projections,
    deliveries.deliveries,
    upkeep.retention,
    upkeep.rejudge,
    upkeep.doctor,
):
    cli.add_command(command)


if __name__ == "__main__":
    main()
