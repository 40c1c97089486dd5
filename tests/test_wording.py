"""The sources are written in Brazilian Portuguese; Lisbon reads its own, on every page and in every refusal.

The compiled catalogues are committed, because nobody should need gettext to start the clinic: these tests keep them in
step with their sources."""

import ast
import gettext
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import django
import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as translated
from django.utils.translation import ngettext, override
from django.utils.translation.template import templatize

from clinic.booking import LineRequest
from clinic.models import Clinic
from clinic.models.titles import in_sentence
from clinic.refusals import Reason, Refusal
from clinic.templatetags.formats import day_and_month, money
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_master,
    make_patient,
    make_procedure,
)

CATALOGUES = sorted(path for folder in settings.LOCALE_PATHS for path in folder.glob("*/LC_MESSAGES/*.po"))
SOURCES = [
    path
    for folder, pattern in (("clinic", "**/*.py"), ("templates", "**/*.html"))
    for path in sorted((settings.ROOT / folder).glob(pattern))
    if path.parent.name != "migrations"
]
PARAMETER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}|#")
# The forms of a doctor's name always come together (clinic/models/titles.py), and each language takes the one it needs.
FORM_OF_DOCTOR = re.compile(r"%\((?:the|The|of)_doctor\)s")
# What nobody in Portugal says, or writes like that.
BRAZILIAN = re.compile(
    r"\b(agend(ar|e|ou|ad[oa]s?|amentos?)|reagendad[oa]s?|cadastr\w+|paciente\w*|usuári\w+|senhas?|telas?|você|celular"
    r"|expediente|recepção|contatos?|registr\w+|aceito|porcentagem|excluir|excluíd[oa]s?|salv(ar?|e|o|ou)|busca\w*"
    r"|fechamentos?|confira|digit(e|ou|ad[oa])|atende(r|ndo)?|DDD|planilha|não (?!há)\w+ mais)\b"
    r"|(?<= )visitas?\b|aqui é d[ao]\b",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"\{\w*\}")  # the same in both countries, as {paciente}


# The catalogues -------------------------------------------------------------------------------------------------------


@dataclass
class Entry:
    flags: str = ""
    texts: dict = field(default_factory=dict)  # msgid, msgid_plural, msgstr, msgstr[0], …

    @property
    def is_translated(self):
        return bool(self.texts["msgid"]) and all(text for name, text in self.texts.items() if "msgstr" in name)

    @property
    def pairs(self):
        """(source, translation): the singulars, then the plurals."""
        sources = [self.texts["msgid"], self.texts.get("msgid_plural")]
        return list(zip(sources, [text for name, text in self.texts.items() if "msgstr" in name], strict=False))


def entries(catalogue: Path) -> list[Entry]:
    return [read_entry(block) for block in re.split(r"\n\n+", catalogue.read_text()) if '\nmsgid "' in f"\n{block}"]


def read_entry(block):
    entry, last = Entry(), None
    for line in block.strip().splitlines():
        if line.startswith("#"):
            entry.flags += line if line.startswith("#,") else ""
            continue
        name, literal = re.fullmatch(r'(msg\S+ )?(".*")', line).groups()
        last = name.strip() if name else last
        entry.texts[last] = entry.texts.get(last, "") + ast.literal_eval(literal)
    return entry


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: str(path.relative_to(settings.ROOT)))
def test_a_compiled_catalogue_says_what_its_source_says(catalogue):
    with catalogue.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in entries(catalogue):
        singular, plural = entry.texts["msgid"], entry.texts.get("msgid_plural")
        if not singular:
            continue
        answers = [compiled.ngettext(singular, plural, n) for n in (1, 2)] if plural else [compiled.gettext(singular)]
        # What is not translated is not there, and the source itself is the answer.
        expected = [said if entry.is_translated else source for source, said in entry.pairs]
        assert answers == expected, f"{catalogue} has changed: compile it with msgfmt"


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: str(path.relative_to(settings.ROOT)))
def test_no_translation_is_a_guess_and_none_loses_a_parameter(catalogue):
    assert "\n#~" not in catalogue.read_text(), "obsolete entries: take them out"
    for entry in entries(catalogue):
        assert "fuzzy" not in entry.flags, entry.texts["msgid"]
        if entry.is_translated:
            for source, said in entry.pairs:
                assert parameters(said) == parameters(source), source


def parameters(text):
    return sorted(PARAMETER.findall(FORM_OF_DOCTOR.sub("%(doctor)s", text)))


def test_every_catalogue_of_ours_is_found():
    assert {f"{path.parent.parent.name}/{path.name}" for path in CATALOGUES} >= {
        "pt_PT/django.po",
        "pt_PT/djangojs.po",
        "pt_BR/django.po",
        "pt_BR/djangojs.po",
    }


def test_overridden_strings_exist_in_django():
    """A sentence that Django has reworded is no longer found in ours, and would be its own again without a word."""
    django_root = Path(django.__file__).parent
    names = {"django": [], "djangojs": []}
    for path in django_root.glob("**/locale/en/LC_MESSAGES/*.po"):
        names[path.stem] += [entry.texts.get("msgid", "") for entry in entries(path)]
    for catalogue in CATALOGUES:
        if "of_django" in catalogue.parts:
            ours = {entry.texts["msgid"] for entry in entries(catalogue)}
            assert ours - set(names[catalogue.stem]) == set(), catalogue


# The sources ----------------------------------------------------------------------------------------------------------


def sentences(path: Path) -> set[tuple[str, ...]]:
    """What is wrapped for translation in a Python file or a template: each sentence, or its singular and plural."""
    text = path.read_text()
    if path.suffix == ".html":
        literals = re.findall(r"""\b(?:gettext|ngettext|_)\(u?('(?:\\.|[^'])*'|"(?:\\.|[^"])*")""", templatize(text))
        return {(ast.literal_eval(literal),) for literal in literals}
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    wrapping = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
    arguments = [
        [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        for call in calls
        if getattr(call.func, "id", "") in wrapping
    ]
    return {tuple(texts) for texts in arguments if texts}


def in_this_language(texts: tuple[str, ...]) -> list[str]:
    return [ngettext(*texts, number) for number in (1, 2)] if len(texts) == 2 else [translated(text) for text in texts]


def test_no_word_that_only_brazil_uses_is_read_in_lisbon():
    found = {texts: path for path in SOURCES for texts in sentences(path)}
    assert len(found) > 300
    with override("pt-pt"):
        read = {f"{path.name}: {text}" for texts, path in found.items() for text in in_this_language(texts)}
    left = {line for line in read if BRAZILIAN.search(PLACEHOLDER.sub("", line.partition(": ")[2]))}
    assert left == set(), "translate these in clinic/locale/pt_PT (clinic/README.md, Where does X go)"


def test_no_template_shows_a_sentence_that_is_not_wrapped():
    for path in SOURCES:
        if path.suffix == ".html":
            assert unwrapped(path.read_text()) == [], path


NOT_READ = [r"{#.*?#}", r"{% block body_class %}.*?{% endblock"]
NOT_READ += [rf"{{% {tag} .*?{{% end{tag}" for tag in ("comment", "blocktranslate")]
SAME_EVERYWHERE = {"Alt", "Esc", "CPF", "NIF", "PIN"}


def unwrapped(template):
    """The words that stand in the markup itself."""
    text = re.sub("|".join([*NOT_READ, "{%.*?%}", "{{.*?}}"]), " ", template, flags=re.DOTALL)
    read = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', text)
    # A partial may be no more than some attributes of a tag.
    bare = re.sub(r'[\w-]+="[^"]*"|\bautofocus\b', "", text)
    words = re.findall(r"[^\W\d_]{2,}", " ".join([*read, *re.findall(r">([^<>]*)<", f">{bare}<")]))
    return [word for word in words if word not in SAME_EVERYWHERE]


# What people read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["pt-br", "pt-pt"])
@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
def test_every_refusal_has_a_sentence_in_both_languages(reason, language):
    params = dict.fromkeys(re.findall(r"%\((\w+)\)", FORM_OF_DOCTOR.sub("%(doctor)s", str(reason.sentence))), "Xis")
    forms = in_sentence("Xis") if "doctor" in params else {}
    with override(language):
        message = Refusal(reason, params | forms).message
    assert message.endswith(".") and "%" not in message.replace("Xis%", "")  # a limit is a percentage
    assert message.count("Xis") == len(params)
    assert language == "pt-br" or not BRAZILIAN.search(message)


def desk(clinic) -> SimpleNamespace:
    """A master, a doctor, a patient without documents, and an appointment next Monday at 9."""
    procedure = make_procedure(clinic, name="Consulta", price=Decimal("1280.50"))
    doctor = make_doctor(clinic, name="Dra. Inês Sá", procedures=[procedure])
    patient = make_patient(clinic, name="Rita Reis", cpf=None)
    appointment = book_appointment(doctor, patient=patient.pk, lines=(LineRequest(procedure.pk),))
    return SimpleNamespace(
        clinic=clinic, user=make_master(clinic), doctor=doctor, patient=patient, appointment=appointment
    )


def day_of(at):
    return at.clinic.local(at.appointment.starts_at).date()


def agenda(client, at):
    return client.get(reverse("web:agenda-day", args=[day_of(at)]))


def sunday(client, at):
    return client.get(reverse("web:agenda-day", args=[day_of(at) + timedelta(days=6)]))


def begun(client, at):
    asked = {"medico": at.doctor.pk, "data": day_of(at), "inicio": "10:00"}
    return client.get(reverse("web:appointment-book"), asked)


def conflict(client, at):
    form = {"key": uuid4(), "doctor": at.doctor.pk, "procedure": at.doctor.procedures.get().pk, "discount": ""}
    form |= {"date": f"{day_of(at):%d/%m/%Y}", "starts": "09:00", "patient": make_patient(at.clinic).pk}
    return client.post(reverse("web:appointment-book"), form)


def bad_phone(client, at):
    return client.post(reverse("web:patient-add"), {"name": "Rui", "phone": "12"})


def without_name(client, at):
    return client.post(reverse("web:patient-add"), {"name": "", "phone": ""})


def detail(client, at):
    return client.get(reverse("web:appointment-detail", args=[at.appointment.pk]))


def own(name, *fields):
    return lambda client, at: client.get(reverse(name, args=[getattr(at, each).pk for each in fields]))


def protected(client, at):
    return client.get(reverse("admin:clinic_doctor_delete", args=[at.doctor.pk]))


def short_password(client, at):
    new = {"new_password1": "abc", "new_password2": "abc"}
    return client.post(reverse("web:password-change"), {"old_password": "x"} | new)


TABLE = [
    (agenda, "Marcar", "Agendar"),
    (agenda, "1 marcação", "1 agendado"),
    (agenda, "Em consulta", "Em atendimento"),
    (agenda, "ficha incompleta", "cadastro incompleto"),
    (agenda, "Utente, telefone, NIF ou nascimento", "Paciente, telefone, CPF ou nascimento"),
    (sunday, "Ninguém dá consultas neste dia", "Ninguém atende neste dia"),
    (agenda, "continua no ecrã", "continua na tela"),
    (conflict, "Às 09:00, a Dra. Inês Sá já tem outra marcação.", "O horário das 09:00 da Dra. Inês Sá já está"),
    (conflict, "Horas livres mais próximas", "Horários livres mais próximos"),
    (begun, "Marcar às 10:00", "Agendar às 10:00"),
    (detail, "Cancelar", "Cancelar"),
    (detail, "Marcado para", "Agendado para"),
    (detail, "1280,50\N{NO-BREAK SPACE}€", "R$\N{NO-BREAK SPACE}1.280,50"),
    (own("web:appointment-cancel", "appointment"), "> Utente</label>", "> Paciente</label>"),
    (own("web:patient-detail", "patient"), "Próximas marcações", "Próximos agendamentos"),
    (own("web:patient-detail", "patient"), "17/05/1980", "17/05/1980"),
    (own("web:patient-list"), "Quem procura?" , "Quem você procura?"),
    (without_name, "Indique o nome do utente.", "Informe o nome do paciente."),
    (without_name, "Indique um telefone, por exemplo 912 345 678.", "Informe um telefone com DDD, por exemplo (81)"),
    (bad_phone, "são só 2. Escreva os 9, por exemplo 912 345 678", "Escreva com DDD, por exemplo (81) 99999-9999"),
    (own("web:password-change"), "Alterar a palavra-passe", "Trocar a senha"),
    (short_password, "Esta palavra-passe é demasiado curta.", "Esta senha é muito curta."),
    (own("admin:index"), "O que pretende organizar?", "O que você quer organizar?"),
    (own("admin:clinic_patient_changelist"), "Escolha utente para editar", "Escolha paciente para editar"),
    (own("admin:clinic_doctor_changelist"), "Escolha…", "Escolha…"),
    (own("admin:clinic_appointmentevent_changelist"), "Filtrar por data", "Filtrar por data"),
    (own("admin:clinic_doctor_change", "doctor"), "Cédula profissional", "Registro no conselho"),
    (own("admin:clinic_appointment_change", "appointment"), "Marcado para", "Agendado para"),
    (protected, "deixa de aparecer nos ecrãs de marcação", "ele some das telas de agendamento"),
    (lambda client, at: client.get("/nada/"), "alguém apagou o que lá estava", "alguém apagou o que estava nele"),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "lisbon", "recife"), TABLE, ids=[row[2] for row in TABLE])
def test_each_clinic_reads_its_own_portuguese(page, lisbon, recife, client):
    for make, said, unsaid in ((make_lisbon, lisbon, recife), (make_clinic, recife, lisbon)):
        at = desk(make())
        client.force_login(at.user)
        read = page(client, at).text
        assert said in read
        assert said == unsaid or unsaid not in read


@pytest.mark.django_db
def test_strangers_read_the_portuguese_their_browser_asks_for(client):
    for asked, said in (("pt-PT,pt;q=0.9", "Palavra-passe"), ("pt-BR", "Senha"), ("en", "Senha"), ("", "Senha")):
        assert said in client.get(reverse("web:signin"), headers={"accept-language": asked}).text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("pt-br", "O erro foi registrado"), ("pt-pt", "O erro ficou registado")],
)
def test_the_page_of_a_failure_speaks_the_language_without_a_database(language, sentence):
    with override(language):
        page = render_to_string("500.html")
    assert sentence in page and f'lang="{language}"' in page


@pytest.mark.parametrize(
    ("language", "currency", "amount", "written"),
    [
        ("pt-br", "BRL", "1280.5", "R$\N{NO-BREAK SPACE}1.280,50"),
        ("pt-br", "BRL", "0", "R$\N{NO-BREAK SPACE}0,00"),
        ("pt-pt", "EUR", "1280.5", "1280,50\N{NO-BREAK SPACE}€"),
        ("pt-pt", "EUR", "75", "75,00\N{NO-BREAK SPACE}€"),
    ],
)
def test_money_is_written_as_its_country_writes_it(language, currency, amount, written):
    with override(language):
        assert money(Decimal(amount), Clinic(currency=currency)) == written


@pytest.mark.parametrize(
    ("day", "recife", "lisbon"),
    [
        (date(2026, 12, 1), "1º de dezembro", "1 de dezembro"),
        (date(2026, 3, 1), "1º de março", "1 de março"),
        (date(2026, 12, 11), "11 de dezembro", "11 de dezembro"),
        (date(2026, 12, 21), "21 de dezembro", "21 de dezembro"),
        (date(2026, 12, 31), "31 de dezembro", "31 de dezembro"),
    ],
)
def test_the_first_of_a_month_is_an_ordinal_in_brazil_alone(day, recife, lisbon):
    with override("pt-br"):
        assert day_and_month(day) == recife
    with override("pt-pt"):
        assert day_and_month(day) == lisbon


@pytest.mark.django_db
def test_the_admins_calendar_speaks_portuguese(client):
    for make in (make_lisbon, make_clinic):
        client.force_login(make_master(make()))
        catalogue = client.get(reverse("admin:jsi18n")).text
        assert '"Today (%(date)s)": "Hoje (%(date)s)"' in catalogue
