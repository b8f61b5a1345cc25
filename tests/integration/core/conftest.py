from tests.support.core_fixtures import core, database_url, lone_core, other_core, shared_database_url, template_url

__all__ = ["core", "database_url", "lone_core", "other_core", "shared_database_url", "template_url"]
