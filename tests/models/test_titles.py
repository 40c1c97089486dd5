"""Titles: what is split off a name, which article they have, and what stays in PostgreSQL's hands."""

import pytest

from clinic.models import Doctor
from clinic.models.titles import Title, has_title, in_sentence, split_title, title_beside, with_title, written


@pytest.mark.parametrize(
    ("full_name", "title", "name"),
    [
        ("Dra. Ana Beatriz Cavalcanti", "a Dra.", "Ana Beatriz Cavalcanti"),
        ("Dra. Dra. Ana", "a Dra.", "Ana"),
        ("Dr Victor", "o Dr", "Victor"),
        ("Dr.ª Inês Sá", "a Dr.ª", "Inês Sá"),
        ("Prof. Dr. Rui Reis", "o Prof. Dr.", "Rui Reis"),
        ("Prof. Rui Reis", "o Prof.", "Rui Reis"),
        ("Enf.ª Marta Sá", "a Enf.ª", "Marta Sá"),
        # whose article is unknown, or what is written otherwise than we would write it again
        ("Enf. Marta Sá", "", "Enf. Marta Sá"),
        ("Psic. Inês", "", "Psic. Inês"),
        ("DRA. ANA", "", "DRA. ANA"),
        # no title, or nothing but a title
        ("Inês Sá", "", "Inês Sá"),
        ("Draga Petrović", "", "Draga Petrović"),
        ("Dra.", "", "Dra."),
        ("Dra. 1", "", "Dra. 1"),
        ("", "", ""),
    ],
)
def test_a_title_before_a_name_is_split_off(full_name, title, name):
    assert split_title(full_name) == (title, name)


@pytest.mark.parametrize("title", [title for title in Title.values if title])
def test_every_title_has_an_article_and_is_written(title):
    doctor = Doctor(title=title, name="Ariel Prado")
    assert title[:2] in {"o ", "a "}
    assert str(doctor) == doctor.full_name == f"{title[2:]} Ariel Prado"
    assert doctor.in_sentence["the_doctor"] == f"{title} Ariel Prado"
    assert (doctor.brief_name, doctor.spoken_name) == (f"{title[2:]} Ariel", f"{title} Ariel")
    assert has_title(doctor.full_name) and not has_title(doctor.name)


def test_names_without_a_title_stay_as_they_are():
    doctor = Doctor(name="Inês Sá")
    assert (doctor.full_name, doctor.written_title, doctor.spoken_name) == ("Inês Sá", "", "Inês Sá")
    assert Doctor(name="Maria Inês Sá Reis").brief_name == "Maria Inês"
    assert with_title("", "Inês Sá") == "Inês Sá" and written("") == ""


@pytest.mark.parametrize(
    ("full_name", "title", "the", "begins", "of"),
    [
        ("Dra. Ana", "a Dra.", "a Dra. Ana", "A Dra. Ana", "da Dra. Ana"),
        ("Dr. Rui", "o Dr.", "o Dr. Rui", "O Dr. Rui", "do Dr. Rui"),
        ("Inês Sá", "", "Inês Sá", "Inês Sá", "de Inês Sá"),
        ("Psic. Inês", "a Psic.", "a Psic. Inês", "A Psic. Inês", "da Psic. Inês"),
        # a name of a former time: its own title counts, one of two genders only by the doctor's present one
        ("Dra. Ana", "", "a Dra. Ana", "A Dra. Ana", "da Dra. Ana"),
        ("Dra. Ana", "a Profa.", "a Dra. Ana", "A Dra. Ana", "da Dra. Ana"),
        ("Psic. Inês", "", "Psic. Inês", "Psic. Inês", "de Psic. Inês"),
        ("Psic. Inês", "a Dra.", "Psic. Inês", "Psic. Inês", "de Psic. Inês"),
    ],
)
def test_sentences_name_a_doctor_with_the_article(full_name, title, the, begins, of):
    expected = {"doctor": full_name, "the_doctor": the, "The_doctor": begins, "of_doctor": of}
    assert in_sentence(full_name, title) == expected


@pytest.mark.parametrize(
    ("full_name", "title", "beside"),
    [("Psic. Inês", "a Psic.", "a Psic."), ("Dra. Ana", "a Dra.", ""), ("Inês Sá", "", ""), ("Inês Sá", "a Psic.", "")],
)
def test_only_a_title_of_both_genders_is_stored_beside_a_name(full_name, title, beside):
    assert title_beside(full_name, title) == beside


@pytest.mark.parametrize(
    "name",
    ["Dra. Dra. Ana", "Dra. Ana", "dr victor", "Dr", "Ana Reis, Dra.", "Ana (Enf.ª)", "Rui Prof. Reis", "FISIO. Rui"],
)
def test_a_title_in_a_name_is_seen(name):
    assert has_title(name)


@pytest.mark.parametrize("name", ["Ana Reis", "Draga Petrović", "Fono Tui", "J. Sr Reis", "Ana-Dra Reis", "Sandra. R."])
def test_what_only_looks_like_a_title_is_none(name):
    assert not has_title(name)
