"""The example queries that come with the tables, in the seeds' words; only their placeholders are filled in."""

from pathlib import Path

QUERIES = Path(__file__).parents[1] / "integration" / "core" / "sql"
NAMES = frozenset(path.stem for path in QUERIES.glob("*.sql"))


def seed_query(name: str, **placeholders: str) -> str:
    """Give an example query with its placeholders replaced."""
    sql = (QUERIES / f"{name}.sql").read_text("utf-8")
    for placeholder, value in placeholders.items():
        sql = sql.replace(placeholder, value)
    return sql


def text(value: str) -> str:
    """Write a value without quotes of its own as SQL does."""
    return f"'{value}'"
