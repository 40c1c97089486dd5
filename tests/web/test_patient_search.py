import pytest
from django.utils import timezone

from clinic.models import Patient
from clinic.queries import patients
from clinic.web.patient.forms import initial_for_search
from tests.factories import make_patient
from tests.web.patients import FINISHED, visit

pytestmark = pytest.mark.django_db


def names(found):
    return [patient.name for patient in found]


def found_by(clinic, text):
    return names(patients.search(clinic, text))


@pytest.mark.parametrize(
    "text",
    [
        "josé antônio",
        "JOSE ANTONIO",
        "antônio josé",
        "tôni",
        "  araujo   jo ",
        "jo an",
        "d'ávila",
        "jos\u200f\u0301e\0",
        "(81) 98765-4321",
        "81987654321",
        "081 98765 4321",
        "+55 81 98765-4321",
        "98765",
        "4321",
        "jose 4321",
        "529.982.247-25",
        "52998224725",
        "529.982",
        "245624139",
        "12/03/1984",
        "12031984",
        "12/03/84",
        "Antonio 12.3.84",
        "Antonio 12/03/1984",
    ],
)
def test_a_patient_is_found_by(text, clinic):
    jose = make_patient(
        clinic,
        name="José Antônio d'Ávila Araújo",
        phone="+5581987654321",
        cpf="52998224725",
        nif="245624139",
        birth_date="1984-03-12",
    )
    make_patient(clinic, name="Rui", phone="+5585922220000", cpf=None, birth_date="1990-01-02")

    assert patients.search(clinic, text.replace("e\0", "e")) == [jose]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0\u200f",
        "%",
        "_",
        "\\",
        "%%",
        "J_se",
        "J%e",
        "os\\",
        "31/02/1984",
        "31/02/84",
        "999",
        "maria joão",
        "5581",
        "0000",
    ],
)
def test_nobody_is_found_by(text, clinic):
    make_patient(clinic, name="José Maria", phone="+5581987654321", cpf="52998224725")

    assert patients.search(clinic, text) == []


def test_a_birth_year_of_two_digits_is_of_either_century(clinic):
    old = make_patient(clinic, name="Ana", phone="+5581987654321", birth_date="1920-03-12")
    young = make_patient(clinic, name="Rui", phone="+5585922220000", birth_date="2020-03-12")

    assert patients.search(clinic, "12/03/20") == [old, young]


@pytest.mark.parametrize(
    ("typed", "initial"),
    [
        ("28/11/77", {"birth_date": "28/11/77"}),
        ("Ana 28.11.77", {"name": "Ana", "birth_date": "28/11/77"}),
        ("Ana 28/11/1977", {"name": "Ana", "birth_date": "28/11/1977"}),
    ],
)
def test_the_new_patients_form_has_the_year_as_typed(typed, initial):
    assert initial_for_search(typed) == initial


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Ana D'Ávila", "davila"),
        ("Ana D'Ávila", "d’avila"),
        ("Ana d´Ávila", "d'ávila"),
        ("Ana D’Ávila", "d avila"),
        ("Sean O’Neill", "oneill"),
        ("Sean O’Neill", "o'neill"),
        ("Sean O'Neill", "o neill"),
        ("Eva Müller-Weiß", "muller weiss"),
        ("Eva Müller-Weiß", "mullerweiss"),
        ("Eva Müller–Weiß", "Müller-Weiß"),
        ("Eva Müller Weiß", "muller‑weiss"),
        ("Rui dos Santos", "dossantos"),
        ("Rui dos Santos", "ruidossantos"),
        ("Rui Dossantos", "dos santos"),
        ("Rui Sant'Anna", "santanna"),
        ("Rui Santanna", "sant'anna"),
        ("Rui Sant Anna", "santanna"),
        ("Jørgen Łukasz", "jorgen lukasz"),
        ("Núñez·Pi", "nunezpi"),
    ],
)
def test_nothing_stands_between_a_typed_name_and(stored, typed, clinic):
    meant = make_patient(clinic, name=stored)
    make_patient(clinic, name="Maria Nunes da Villa")

    assert patients.search(clinic, typed) == [meant]
    assert list(patients.listed(clinic, name=typed)) == [meant]


# Letters to Unicode, apostrophes and the like to people; what clinic_fold and clinic_letters leave nothing of.
MARKS = "ʹʺʻʼʽˆˈˋː"


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("text", ["{0}", "{0}{0}{0}", "{0} {0}", "{0}-{0}{0}", " ({0}), {0}."])
def test_a_text_of_marks_alone_finds_nobody(clinic, mark, text):
    make_patient(clinic, name="Sara Dias")
    typed = text.format(mark)
    assert patients.search(clinic, typed) == patients.search(clinic, typed, by_numbers=False) == []
    assert list(patients.listed(clinic, name=typed)) == []
    assert list(patients.fitting(Patient.objects.of(clinic), typed)) == []


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("typed", ["O{0}neill", "{0}neill", "oneill{0}", "{0}O{0}Neill{0}", "sean {0}{0}{0}"])
def test_a_mark_beside_letters_is_an_apostrophe(clinic, mark, typed):
    sean = make_patient(clinic, name="Sean O’Neill")
    make_patient(clinic, name="Maria Nunes")
    typed = typed.format(mark)
    assert patients.search(clinic, typed) == patients.search(clinic, typed, by_numbers=False) == [sean]
    assert list(patients.listed(clinic, name=typed)) == [sean]
    assert list(patients.fitting(Patient.objects.of(clinic), typed)) == [sean]


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_in_a_stored_name_is_an_apostrophe(clinic, mark):
    sean = make_patient(clinic, name=f"Sean O{mark}Neill")
    assert patients.search(clinic, "oneill") == patients.search(clinic, "o'neill") == [sean]


@pytest.mark.parametrize("typed", ["iadav", "anunes", "asilva", "silvaana"])
def test_letters_are_not_joined_from_the_middle_of_a_name(typed, clinic):
    make_patient(clinic, name="Maria Nunes da Silva")

    assert patients.search(clinic, typed) == []


@pytest.mark.parametrize(
    "typed",
    [
        "(maria)",
        "maria.",
        "“Maria”,",
        "maria/souza",
        "souza,maria",
        "Sra. Maria",
        "Sr(a). Maria",
        "Sr.ª Maria",
        "Dra.Maria Souza",
        "D. Maria",
        "paciente: Maria Souza",
        "tel 98333-1010",
        "Tel.: (81) 98333-1010",
        "cel:98333‑1010",
        "telemóvel 98333 1010",
        "WhatsApp: +55 81 98333-1010",
        "CPF 529.982.247-25",
        "CPF: 52998224725.",
        "maria, tel. 98333-1010",
        "Maria (98333-1010)",
        "nascida 12/03/1984",
        "data de nascimento: 12/03/1984",
    ],
)
def test_punctuation_titles_and_labels_are_no_part_of(typed, clinic):
    maria = make_patient(clinic, name="Maria Souza", phone="+5581983331010", cpf="52998224725", birth_date="1984-03-12")
    make_patient(clinic, name="Telma Cordeiro", phone="+5581977772222")

    assert patients.search(clinic, typed) == [maria]


@pytest.mark.parametrize(("typed", "name"), [("tel", "Telma"), ("cel", "Celina"), ("dr", "Drauzio"), ("sr", "Sri")])
def test_a_title_or_label_alone_is_looked_for(typed, name, clinic):
    meant = make_patient(clinic, name=name)

    assert patients.search(clinic, typed) == [meant]


@pytest.mark.parametrize("typed", ["½½½", "⑴⑵⑶", "(((", "a.*b", "[z", "ʰʰʰ", "ªªª", "µµµ", "x{9}", "\\d+"])
def test_no_letter_is_a_pattern(typed, clinic):
    make_patient(clinic, name="Ana Lima")

    assert patients.search(clinic, typed) == []


def test_punctuation_alone_is_not_worth_a_question(clinic, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert patients.search(clinic, " % -- _ ") == []


def test_letters_that_search_patterns_are_made_of_are_only_letters(clinic):
    make_patient(clinic, name="Ana Souza")
    odd = make_patient(clinic, name=r"Ana 100%_\ Souza")

    assert patients.search(clinic, "100%") == [odd]
    assert patients.search(clinic, "%_") == []
    assert patients.search(clinic, r"100%_\ ") == [odd]


def test_social_name_is_searched_and_words_may_match_either_name(clinic):
    make_patient(clinic, name="João Lima", social_name="Clara Lima")

    assert found_by(clinic, "clara") == found_by(clinic, "clara joao") == ["João Lima"]


def test_results_are_exact_number_then_prefix_then_by_name(clinic):
    make_patient(clinic, name="Zita Ana")
    make_patient(clinic, name="Bia Mariana")
    make_patient(clinic, name="Ânatole")
    make_patient(clinic, name="Ana Souza")
    make_patient(clinic, name="Zoé", phone="+5581912345678")
    make_patient(clinic, name="Ari", phone="+5511812345678", cpf="81912345678"[:11])

    assert found_by(clinic, "ana") == ["Ana Souza", "Ânatole", "Bia Mariana", "Zita Ana"]
    assert found_by(clinic, "12345678") == ["Ari", "Zoé"]
    assert found_by(clinic, "+55 81 91234-5678")[0] == "Zoé"


def test_namesakes_are_in_order_of_registration_within_the_limit(clinic):
    namesakes = [make_patient(clinic, name="Ana Lima") for _ in range(5)]

    assert patients.search(clinic, "ana", limit=3) == namesakes[:3]
    assert patients.search(clinic, "lima", limit=3) == namesakes[:3]


def options_for(clinic, text):
    found = patients.options(clinic, text, timezone.now())
    return names(option.patient for option in found.patients), found.has_more


def test_options_that_fit_equally_begin_with_recent_patients(clinic):
    for name in ("Álvaro Costa", "Caio Costa", "Costa Antiga", "Dario Costa", "Elis Costa"):
        make_patient(clinic, name=name)
    visit(Patient.objects.get(name="Elis Costa"), days=-170, status=FINISHED)
    visit(Patient.objects.get(name="Dario Costa"), days=20)
    visit(Patient.objects.get(name="Caio Costa"), days=-190, status=FINISHED)

    expected = ["Costa Antiga", "Dario Costa", "Elis Costa", "Álvaro Costa", "Caio Costa"]
    assert options_for(clinic, "costa") == (expected, False)
    assert found_by(clinic, "costa") == ["Costa Antiga", "Álvaro Costa", "Caio Costa", "Dario Costa", "Elis Costa"]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("luís", "Luiz Gomes"),
        ("tiago", "Thiago Reis"),
        ("Sousa", "Ana Souza"),
        ("vítor", "Victor Lima"),
        ("rafael", "Raphael Dias"),
        ("elena", "Helena Prado"),
        ("jessica", "Géssica Nunes"),
        ("catia", "Kátia Alves"),
        ("mateus", "Matheus Brito"),
        ("ana souza", "Anna Sousa"),
        ("wagner", "Vagner Melo"),
    ],
)
def test_a_name_is_found_as_it_is_heard(clinic, typed, stored):
    make_patient(clinic, name=stored)
    assert options_for(clinic, typed)[0] == [stored]


@pytest.mark.parametrize(("typed", "stored"), [("luis", "Lucas"), ("ana", "Maria Nunes"), ("rosa", "Rocha")])
def test_a_name_that_is_heard_otherwise_is_not_found(clinic, typed, stored):
    make_patient(clinic, name=stored)
    assert options_for(clinic, typed)[0] == []


def test_names_heard_alike_come_after_those_written_so(clinic):
    for name in ("Abel Luiz", "Luís Abreu", "Luisa Zita"):
        make_patient(clinic, name=name)
    assert options_for(clinic, "luis") == (["Luís Abreu", "Luisa Zita", "Abel Luiz"], False)
    assert found_by(clinic, "luis") == ["Luís Abreu", "Luisa Zita"]


def test_a_name_heard_alike_must_fit_the_numbers_too(clinic):
    make_patient(clinic, name="Luiz Um", phone="+5581912345678")
    make_patient(clinic, name="Luiz Dois", phone="+5581987654321")
    assert options_for(clinic, "luis 1234-5678")[0] == ["Luiz Um"]


def test_owners_of_one_number_begin_with_who_was_seen(clinic):
    for name in ("Ana Lima", "Zoé Lima"):
        make_patient(clinic, name=name, phone="+5581987654321")
    visit(Patient.objects.get(name="Zoé Lima"), days=-3, status=FINISHED)

    assert options_for(clinic, "81 98765-4321") == (["Zoé Lima", "Ana Lima"], False)


@pytest.mark.parametrize(("number", "has_more"), [(8, False), (9, True)])
def test_at_most_eight_options_and_whether_there_are_more(clinic, number, has_more):
    for _ in range(number):
        make_patient(clinic, name="Ana Costa")

    found = patients.options(clinic, "costa", timezone.now())
    assert (len(found.patients), found.has_more) == (8, has_more)


def test_part_of_country_and_area_code_matches_no_phone(clinic):
    make_patient(clinic, phone="+5581987654321")
    other = make_patient(clinic, phone="+5581987655581")

    assert patients.search(clinic, "5581") == [other]


def test_patients_of_another_clinic_are_never_found(clinic):
    make_patient(name="Ana Alheia", phone="+5581987654321", cpf="52998224725", birth_date="1984-03-12")

    for text in ("ana", "98765", "+5581987654321", "52998224725", "12/03/1984"):
        assert patients.search(clinic, text) == []


def test_a_found_patient_carries_the_last_finished_visit(clinic):
    ana = make_patient(clinic, name="Ana")
    visit(ana, days=-9, status=FINISHED)
    last = visit(ana, days=-3, status=FINISHED)
    visit(ana, days=-1, status=("no_show",))
    make_patient(clinic, name="Ana Nova")

    found = patients.options(clinic, "ana", timezone.now()).patients

    assert [option.last_visit for option in found] == [last, None]
    assert found[0].last_visit.doctor_name == "Dr. Paulo Reis"
