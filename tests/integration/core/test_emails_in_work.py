"""The projector keeps rows of emails between its transactions: as long as nobody else changed them, and no longer."""

import pytest

from adapters.postgres.writes import DeferredWrites
from tests.support.batches import catch_up, take_in_batches_of
from tests.support.core import item
from tests.support.emails import JOB_AD, NOON, seconds

DAMAGED = 100


@pytest.fixture
def projector(core):
    """A read model that goes on from round to round, as the process's does, with an email that it has at hand."""
    model = core.backend.read_models()[0]
    core.register_numbered(1)
    catch_up([model])
    open_once_more(core, 0)
    catch_up([model])
    return model


def open_once_more(core, n):
    core.receive(item("open", NOON + seconds(n)))
    core.drain()


def opens(core):
    """Give what the row says and what the sums say."""
    return core.query("SELECT (SELECT open_count FROM email_logs), (SELECT sum(total_opens) FROM email_totals)")


def test_an_email_that_was_folded_lately_is_not_read_again(core, projector):
    core.execute("UPDATE email_logs SET open_count = %s", DAMAGED)
    open_once_more(core, 1)

    catch_up([projector])

    assert opens(core) == [(2, 2)]


def test_a_transaction_that_fails_leaves_nothing_at_hand(core, projector, monkeypatch):
    open_once_more(core, 1)

    class PulledPlugError(BaseException):
        pass

    def die(*_):
        raise PulledPlugError

    with monkeypatch.context() as patched:
        patched.setattr("adapters.postgres.read_model_store.PostgresProgress.move_to", die)
        with pytest.raises(PulledPlugError):
            projector.advance()
    catch_up([projector])

    assert opens(core) == [(2, 2)]


def test_what_another_projector_changed_is_read(core, other_core, projector):
    open_once_more(core, 1)
    catch_up([other_core.backend.read_models()[0]])
    open_once_more(core, 2)

    catch_up([projector])

    assert opens(core) == [(3, 3)]


def test_rows_that_a_rebuild_put_in_place_are_read(core, other_core):
    core.register_numbered(1)
    core.project()
    core.execute("UPDATE email_logs SET open_count = %s", DAMAGED)
    open_once_more(core, 0)
    projector = core.backend.read_models()[0]
    catch_up([projector])

    other_core.backend.rebuild("engagement", lambda *_: None)
    open_once_more(core, 1)
    catch_up([projector])

    assert opens(core) == [(2, 2)]


def test_a_batch_that_cannot_be_written_leaves_nothing_at_hand(core, monkeypatch):
    take_in_batches_of(7, monkeypatch)
    core.register_numbered(5)
    core.receive(*(item("click", NOON + seconds(n), f"m-{1 + n % 5}", url=JOB_AD) for n in range(100)))
    core.drain()
    carry_out, calls = DeferredWrites.carry_out, []

    def fail_the_fourth_time(writes, cursor):
        calls.append(cursor)
        carry_out(writes, cursor)
        if len(calls) == 4:
            raise RuntimeError

    monkeypatch.setattr(DeferredWrites, "carry_out", fail_the_fourth_time)
    core.project()

    assert core.value("SELECT count(*) FROM email_logs WHERE click_count = 20 AND unique_click_count = 1") == 5
    assert core.value("SELECT sum(total_clicks) FROM email_totals") == 100
    assert core.query("SELECT * FROM ops.poison_events") == []
