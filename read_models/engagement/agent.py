"""What a user agent tells about the machine that an email was read on."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec


class Agent(msgspec.Struct, frozen=True):
    """What a user agent says about its owner's machine; "" where it says nothing."""

    device_type: str = ""
    email_client: str = ""


ReadAgent: TypeAlias = Callable[[str], Agent]
