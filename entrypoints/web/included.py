"""What an answer counts besides people: machines, where somebody asks for it."""

from typing import Annotated, Literal, TypeAlias

from litestar.params import QueryParameter

Include: TypeAlias = Annotated[
    Literal["automated"] | None,
    QueryParameter(description="`automated`: count opens and clicks by machines as if people had made them."),
]


def counts_machines(include: Literal["automated"] | None) -> bool:
    """Tell whether somebody wants machines counted like people; previews and the sender's own views never are.

    Source:
        BR-558.7 Bot detection: excluded from every number unless asked for.
    """
    return include == "automated"
