"""What connections are told about hosts that vanish; see tests/integration/query_api/test_database_silent.py."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from adapters.postgres.datastore import open_datastore
from adapters.postgres.query_pool import query_pool
from adapters.postgres.silence import silence_limits

URL = "postgresql://mailpulse@db.example.org/mailpulse"


@pytest.mark.parametrize(
    "options_of", [lambda url: query_pool(url).kwargs, lambda url: open_datastore(url).pool.kwargs]
)
def test_connections_notice_a_host_that_is_gone(options_of):
    options = options_of(URL)

    assert options["tcp_user_timeout"] > 0
    assert options["keepalives_idle"] > 0


def test_what_the_operator_decided_about_vanished_hosts_stays():
    url = f"{URL}?tcp_user_timeout=90000"

    assert "tcp_user_timeout" not in silence_limits(url)
    assert open_datastore(url).pool.kwargs["tcp_user_timeout"] == conninfo_to_dict(url)["tcp_user_timeout"]
