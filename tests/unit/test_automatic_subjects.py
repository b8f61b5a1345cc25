"""Automatic answers that nothing but their subject gives away."""

import pytest

from adapters.mail.automatic_subjects import BEGINNINGS, is_automatic_subject


@pytest.mark.parametrize("beginning", [one for known in BEGINNINGS.values() for one in known])
def test_every_known_beginning_is_recognised_before_the_subject_that_it_answers(beginning):
    answered = f"{beginning.removesuffix(':')}: Interview"

    assert is_automatic_subject(answered)
    assert is_automatic_subject(answered.upper())
    assert is_automatic_subject(f"[EXTERNAL] {answered}")


@pytest.mark.parametrize(
    "subject",
    [
        "Out of office",
        "OUT OF OFFICE AutoReply: Interview",
        "[Out of Office] back on Monday",
        "** Auto-Reply **",
        "Auto\u2010Reply: Interview",
        "AUTO: John Smith is out of the office (returning 01/12/2026)",
        "Réponse automatique\u00a0: Entretien",
        "Message d’absence",
        "Abwesenheit",
        "OTOMATİK YANIT: Mülakat",
        "¡Respuesta automática!",
    ],
)
def test_it_is_recognised_however_it_is_spelt(subject):
    assert is_automatic_subject(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Re: Automatic reply: Interview",
        "AW: Abwesenheitsnotiz",
        "Fwd: Out of office",
        "[EXTERNAL] Re: Out of office",
        "Abwesenheit im Dezember",
        "Out of office hours I can talk",
        "Automated response systems engineer: my application",
        "Autoreplying robots and me",
        "Automatic transmission specialist",
        "Auto mechanic",
        "Absence management position",
        "Fuori sedentario",
        "Interview: I am out of office on Monday",
        "Frånvaro på måndag",
    ],
)
def test_what_people_write_is_theirs(subject):
    assert not is_automatic_subject(subject)
