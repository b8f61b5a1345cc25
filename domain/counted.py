"""Numbers in sentences: one of a thing is no plural."""


def counted(number: int, one: str, many: str = "") -> str:
    """Say a number with the words that agree with it: "1 report waits", "2 reports wait".

    Args:
        number: How many; written with commas between thousands.
        one: The words that follow a 1.
        many: Those that follow any other number, 0 among them; `one` and an s where they are left out.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
