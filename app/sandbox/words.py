"""Sets of names, written as one line of words instead of a column of quotes."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())
