import io

from entrypoints.demo.posting import Tally
from entrypoints.demo.scoreboard import Scoreboard, counts


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_in_a_terminal_one_line_is_written_over():
    out = Terminal()
    board = Scoreboard(out)

    board.show("1 sent")
    board.show("2 sent")
    board.say("done")

    assert out.getvalue() == "\r\x1b[2K1 sent\r\x1b[2K2 sent\r\x1b[2Kdone\n"


def test_a_line_that_would_wrap_is_cut_to_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    out = Terminal()

    Scoreboard(out).show("x" * 100)

    assert out.getvalue() == "\r\x1b[2K" + "x" * 19


def test_elsewhere_a_line_is_written_now_and_then():
    out = io.StringIO()
    board = Scoreboard(out)

    for number in range(100):
        board.show(f"{number} sent")
    board.say("done")

    assert out.getvalue() == "0 sent\ndone\n"


def test_the_line_says_what_was_done_and_what_is_answered():
    tally = Tally(registered=3_000, posted=12_000, acknowledged=11_990, repeated=4_000, refused=10)

    line = counts(tally, {"delivered": 2_900, "opened": 1_400, "sent": 3_000}, 0.125)

    assert line == (
        "3,000 sent | 2,900 delivered 1,400 opened | visible after 0.12 s | "
        "12,000 reports: 11,990 acknowledged 4,000 repeated 10 refused"
    )


def test_before_the_first_answer_the_line_says_so():
    assert "no answer yet" in counts(Tally(), {}, None)
