"""Names of SNS topics, and the one host that speaks for each."""

import re

import msgspec

_ARN = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-[0-9]):([0-9]{12}):[A-Za-z0-9_-]{1,256}(?:\.fifo)?"
)


class Topic(msgspec.Struct, frozen=True):
    """An SNS topic.

    Attributes:
        arn: Its full name.
        host: The regional SNS host, the only one whose certificates and answers count for this topic.
    """

    arn: str
    host: str


def read_topic(arn: str) -> Topic | None:
    """Understand a topic's ARN; ``None`` if it is none."""
    parts = _ARN.fullmatch(arn)
    if parts is None:
        return None
    return Topic(arn=arn, host=f"sns.{parts[2]}.amazonaws.com{'.cn' if parts[1] == 'aws-cn' else ''}")
