"""Invented people with names typical of Recife and Lisbon, and valid documents and phones that belong to nobody."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from random import Random

from clinic.models.documents import made_up_cpf, made_up_nif
from clinic.models.phones import made_up_phone

WOMEN = {
    "BR": """Maria|Ana|Francisca|Antônia|Adriana|Juliana|Márcia|Fernanda|Patrícia|Aline|Sandra|Camila|Amanda|Bruna
        |Jéssica|Letícia|Júlia|Luciana|Vanessa|Mariana|Gabriela|Vera Lúcia|Maria das Graças|Maria José|Ana Cláudia
        |Maria Eduarda|Conceição|Socorro|Rosângela|Inês|Cícera|Ângela|Lúcia|Tânia|Rayane|Yasmin|Thaís|Débora
        |Simone|Ivonete""",
    "PT": """Maria|Ana|Beatriz|Inês|Leonor|Matilde|Carolina|Mariana|Joana|Catarina|Rita|Sofia|Marta|Filipa|Teresa|Graça
        |Conceição|Fátima|Helena|Isabel|Maria João|Ana Rita|Maria do Carmo|Lurdes|Cândida|Susana|Patrícia|Vera|Mafalda
        |Francisca|Constança|Benedita|Célia|Olívia|Raquel|Sónia|Verónica|Mónica|Lúcia|Clara""",
}
MEN = {
    "BR": """José|João|Antônio|Francisco|Carlos|Paulo|Pedro|Lucas|Luiz|Marcos|Gabriel|Rafael|Daniel|Marcelo|Bruno
        |Eduardo|Felipe|Rodrigo|Manoel|Severino|Cícero|João Victor|José Carlos|Luiz Henrique|Antônio Carlos|Ítalo
        |Júlio|Sérgio|Fábio|Vinícius|Caio|Otávio|Ubiratan|Genival|Josué|André|Mário|Álvaro|Estêvão|Heitor""",
    "PT": """João|José|António|Manuel|Francisco|Pedro|Miguel|Rui|Tiago|Diogo|Duarte|Gonçalo|Tomás|Afonso|Martim|Rodrigo
        |Nuno|Luís|Jorge|Paulo|Carlos|Vítor|Joaquim|Fernando|Bernardo|Salvador|Álvaro|Sérgio|Hélder|André|Simão|Guilherme
        |Zé Maria|João Maria|José Luís|Mário|Rúben|Ivo|Xavier|Otílio""",
}
FAMILIES = {
    "BR": """Silva|Santos|Oliveira|Souza|Lima|Pereira|Ferreira|Costa|Rodrigues|Almeida|Nascimento|Carvalho|Gomes|Araújo
        |Ribeiro|Barbosa|Barros|Cavalcanti|Albuquerque|Bezerra|Melo|Lins|Vasconcelos|Queiroz|Falcão|Brandão|Guimarães
        |Moura|Tenório|Gonçalves|Assunção|Medeiros|Siqueira|Leão|Wanderley|Maranhão|Sá|Uchôa|Galvão|Beltrão""",
    "PT": """Silva|Santos|Ferreira|Pereira|Oliveira|Costa|Rodrigues|Martins|Jesus|Sousa|Fernandes|Gonçalves|Gomes|Lopes
        |Marques|Alves|Almeida|Ribeiro|Pinto|Carvalho|Teixeira|Moreira|Correia|Mendes|Nunes|Soares|Vieira|Monteiro
        |Cardoso|Rocha|Neves|Coelho|Cruz|Cunha|Pires|Ramos|Reis|Simões|Antunes|Sá""",
}
SOCIAL_NAMES = {"BR": ("Luana", "Dandara", "Theo", "Bento", "Ayla"), "PT": ("Núria", "Ariel", "Gil", "Íris", "Noa")}
PARTICLES = {
    "da": {"Silva", "Costa", "Cruz", "Cunha", "Rocha", "Assunção"},
    "de": {"Almeida", "Araújo", "Barros", "Carvalho", "Jesus", "Lima", "Melo", "Oliveira", "Sousa", "Souza", "Sá"},
    "do": {"Nascimento"},
    "dos": {"Reis", "Santos"},
    "das": {"Neves"},
}
NOTES = {
    "BR": ("Alergia a dipirona.", "Prefere contato por WhatsApp.", "Prefere o primeiro horário.", "Diabetes tipo 2.",
           "Ouve mal do lado direito.", "Usa cadeira de rodas.", "Vem sempre com a filha."),
    "PT": ("Alergia à penicilina.", "Prefere contacto por WhatsApp.", "Prefere a primeira hora.", "Diabetes tipo 2.",
           "Ouve mal do lado direito.", "Usa cadeira de rodas.", "Vem sempre com a filha."),
}  # fmt: skip
# By the least number of years that they are older than the child: what a woman, and what a man, is to it.
RELATIONS = {46: ("avó", "avô"), 18: ("mãe", "pai")}


@dataclass(frozen=True)
class Person:
    """An invented person. `born` and `woman` are set even if the registration lacks them: they decide about doctors.

    `guardian` is the name of who answers for a child, `relation` what they are to it; both are "" for others."""

    name: str
    social_name: str
    woman: bool
    born: date
    phone: str
    document: str
    email: str
    notes: str
    is_complete: bool
    guardian: str = ""
    relation: str = ""

    def is_seen_by(self, sees: str, today: date) -> bool:
        """Return whether a doctor who `sees` "women", "children" or "everybody" sees this person."""
        grown_up = (today - self.born).days > 16 * 365
        return {"women": self.woman and grown_up, "children": not grown_up, "everybody": True}[sees]


def people(country: str, count: int, today: date, rng: Random) -> list[Person]:
    """Return that many people with distinct documents; a child has the phone of the previous person, its guardian."""
    persons = [_person(country, number, today, rng) for number in range(count)]
    return [_with_guardian(person, before) for person, before in zip(persons, [None, *persons], strict=False)]


def _with_guardian(person: Person, before: Person | None) -> Person:
    if before is None or before.phone != person.phone:
        return person
    years = (person.born - before.born).days // 365
    relation = next((words[not before.woman] for least, words in RELATIONS.items() if years >= least), "")
    return replace(person, guardian=before.name, relation=relation) if relation else person


def _person(country: str, number: int, today: date, rng: Random) -> Person:
    woman = rng.random() < 0.58
    given = rng.choice(_split(WOMEN if woman else MEN, country))
    families = rng.sample(_split(FAMILIES, country), rng.choice((1, 2, 2, 2, 3)))
    is_child = number % 6 == 5
    days = rng.randint(60, 14 * 365) if is_child else int(rng.triangular(17 * 365, 93 * 365, 48 * 365))
    return Person(
        name=" ".join([given, *families[:-1], _with_particle(families[-1], rng)]),
        social_name=rng.choice(SOCIAL_NAMES[country]) if number % 40 == 7 else "",
        woman=woman,
        born=today - timedelta(days=days),
        phone=made_up_phone(country, number - 1 if is_child else number),
        document=_document(country, number),
        email=f"pessoa{number}@example.com" if rng.random() < 0.4 else "",
        notes=rng.choice(NOTES[country]) if rng.random() < 0.08 else "",
        is_complete=rng.random() < 0.86,
    )


def numbered_name(country: str, number: int) -> str:
    """Return a first name and two family names, evenly distributed over the numbers."""
    given, families = _given_and_families(country)
    rest, first = divmod(number, len(given))
    second, third = rest // len(families) % len(families), rest % len(families)
    return f"{given[first]} {families[second]} {families[third]}"


@cache
def _given_and_families(country: str) -> tuple[list[str], list[str]]:
    return _split(WOMEN, country) + _split(MEN, country), _split(FAMILIES, country)


def _split(names: dict[str, str], country: str) -> list[str]:
    return [name.strip() for name in names[country].split("|")]


def _with_particle(family: str, rng: Random) -> str:
    particle = next((word for word, families in PARTICLES.items() if family in families), "")
    return f"{particle} {family}" if particle and rng.random() < 0.7 else family


def _document(country: str, number: int) -> str:
    return made_up_cpf(100_000_000 + number * 7_919) if country == "BR" else made_up_nif(20_000_000 + number * 1_777)
