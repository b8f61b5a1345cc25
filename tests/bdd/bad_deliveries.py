"""Deliveries that prove nothing, and deliveries that say nothing."""

from datetime import UTC, datetime, timedelta

import msgspec

from tests.bdd.mail_providers import Post
from tests.support.signed_deliveries import SendGridSigner, SnsSigner, StandardWebhooksSigner


class StrangeTopic(SnsSigner):
    """Signs well, for a topic of another account."""

    def sign(self, body, **moment):
        return super().sign(body.replace(self.key.encode(), self.other_key.encode()), **moment)


class StrangeSecret(StandardWebhooksSigner):
    """Signs with a secret that was never shared."""

    key = StandardWebhooksSigner.other_key


STRANGERS = {"sendgrid": SendGridSigner(), "ses": StrangeTopic("2"), "email": StrangeSecret()}


def forgery(post, how):
    """Give headers and body of a delivery that does not prove its sender."""
    headers, body = post.signed()
    signer = post.provider.signer
    match how:
        case "unsigned":
            if signer.signature_header:
                return {name: value for name, value in headers.items() if name != signer.signature_header}, body
            return signer.with_signature(headers, body, "")
        case "changed after it was signed":
            return headers, body.replace(b"example.com", b"example.org")
        case "with half of a signature":
            signature = signer.signature_of(headers, body)
            return signer.with_signature(headers, body, signature[: len(signature) // 2])
        case "signed with a stranger's key":
            return STRANGERS[post.provider.name].sign(post.body, now=datetime.now(UTC))
    raise ValueError(f"nobody forges {how!r}")


def with_nonsense(post, nonsense):
    """Give a delivery of one good report and one that cannot be used."""
    (good,) = msgspec.json.decode(post.body)
    match nonsense:
        case "one without a time":
            bad = good | {"timestamp": None}
        case "one without a recipient":
            bad = {name: value for name, value in good.items() if name not in {"email", "recipient"}}
        case "one of the day after tomorrow":
            bad = good | {"timestamp": int((datetime.now(UTC) + timedelta(days=2)).timestamp())}
        case "something that is no report":
            bad = "nonsense"
        case _:
            raise ValueError(f"nobody reports {nonsense!r}")
    return Post(post.provider, msgspec.json.encode([good, bad]))
