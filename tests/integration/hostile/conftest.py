from tests.support.core_fixtures import core, shared_database_url, template_url

__all__ = ["core", "shared_database_url", "template_url"]
