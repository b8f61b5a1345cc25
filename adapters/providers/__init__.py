"""The mail providers whose webhooks Mailpulse understands."""

from collections.abc import Mapping

from adapters.providers.generic import GenericEmail
from adapters.providers.sendgrid import SendGrid
from adapters.providers.sendgrid_inbound import SendGridInbound
from adapters.providers.ses import AmazonSes
from adapters.sns.envelope import CertificateSource
from application.ports.provider import Provider


def registry(certificates: CertificateSource) -> Mapping[str, Provider]:
    """Give every provider by its name in URLs and registrations; a new one is one line here.

    Args:
        certificates: Where the keys that Amazon SNS signs with come from.
    """
    providers: tuple[Provider, ...] = (
        SendGrid(),
        SendGridInbound(),
        AmazonSes(certificates),
        GenericEmail(),
    )
    return {provider.name: provider for provider in providers}
