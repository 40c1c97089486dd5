"""How doctors are addressed: their titles, each with its article, and how a sentence names who has one."""

import re
from collections import defaultdict
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.models.names import has_letter


class Title(models.TextChoices):
    """A title: `value` is its article and the title as it is written."""

    NONE = "", _("nenhum")
    DR = "o Dr.", "Dr."
    DRA = "a Dra.", "Dra."
    DRA_RAISED = "a Dr.ª", "Dr.ª"
    ENF_MAN = "o Enf.", "Enf. (m)"
    ENF_WOMAN = "a Enf.", "Enf. (f)"
    ENF_RAISED = "a Enf.ª", "Enf.ª"
    PSIC_MAN = "o Psic.", "Psic. (m)"
    PSIC_WOMAN = "a Psic.", "Psic. (f)"
    NUTR_MAN = "o Nutr.", "Nutr. (m)"
    NUTR_WOMAN = "a Nutr.", "Nutr. (f)"
    FISIO_MAN = "o Fisio.", "Fisio. (m)"
    FISIO_WOMAN = "a Fisio.", "Fisio. (f)"
    FONO_MAN = "o Fono.", "Fono. (m)"
    FONO_WOMAN = "a Fono.", "Fono. (f)"
    PROF = "o Prof.", "Prof."
    PROFA = "a Profa.", "Profa."
    PROFA_RAISED = "a Prof.ª", "Prof.ª"
    PROF_DR = "o Prof. Dr.", "Prof. Dr."
    PROFA_DRA = "a Profa. Dra.", "Profa. Dra."
    PROF_DOUTOR = "o Prof. Doutor", "Prof. Doutor"
    PROFA_DOUTORA = "a Prof.ª Doutora", "Prof.ª Doutora"
    SR = "o Sr.", "Sr."
    SRA = "a Sra.", "Sra."
    DR_PLAIN = "o Dr", _("Dr (sem ponto)")
    DRA_PLAIN = "a Dra", _("Dra (sem ponto)")


def written(title: str) -> str:
    """Return a title without its article; "" for none."""
    return title.partition(" ")[2]


def _articles() -> dict[str, set[str]]:
    articles: dict[str, set[str]] = defaultdict(set)
    for title in filter(None, Title.values):
        articles[written(title)].add(title.partition(" ")[0])
    return dict(sorted(articles.items(), key=lambda item: -len(item[0])))  # "Prof. Dr." before "Prof."


ARTICLES = _articles()
ABBREVIATION = r"(?:dra?|profa?|enfa?|psic|nutr|fisio|fono|sra?)"
# Titles before a name, in any letters, known or not: "DR. ANA", "prof(a) Ana", "Doutora Ana".
BEFORE_NAME = re.compile(
    rf"^(?:(?:{ABBREVIATION}|doutora?|professora?)(?:\.?\(a\)|\.?ª|\.a(?=[.\s]))?[.\s/]+)+(?=\S)", re.IGNORECASE
)
INSIDE_NAME = re.compile(
    rf"(?<![^\s,(]){ABBREVIATION}(?:\.ª|\.|ª)(?![^\s,)])|^(?:dra?|profa?|sra?)(?!\S)", re.IGNORECASE
)


def with_title(title: str, name: str) -> str:
    """Return the name as it is shown, "Dra. Ana Reis"."""
    return f"{written(title)} {name}".lstrip()


def has_title(name: str) -> bool:
    """Return whether a title is written in the name, known or not, at its beginning or elsewhere."""
    return INSIDE_NAME.search(name.strip()) is not None


def without_title(name: str) -> str:
    """Return the name without the titles that it begins with, known or not; the whole where no name follows."""
    return BEFORE_NAME.sub("", name)


def validate_without_title(name: str) -> None:
    """Raise ValidationError for a name in which a title is written."""
    if has_title(name):
        raise ValidationError(_("O nome vai sem título: escolha “Dr.”, “Dra.” ou outro no campo Título."))


def split_title(full_name: str) -> tuple[str, str]:
    """Return title and name of a name that begins with a title exactly as we write it, once or again.

    "" and the whole name where there is none, where its article cannot be known ("Psic."), or where no name follows.
    """
    title = _title_before(full_name)
    name = full_name
    while title and name.startswith(f"{title} "):
        name = name.removeprefix(title).lstrip()
    articles = ARTICLES.get(title, set())
    return (f"{min(articles)} {title}", name) if len(articles) == 1 and has_letter(name) else ("", full_name)


def in_sentence(full_name: str, title: str = "") -> dict[str, str]:
    """Return a doctor's name as sentences need it: `doctor` "Dra. Ana", `the_doctor` "a Dra. Ana", `The_doctor` the
    same where a sentence begins, `of_doctor` "da Dra. Ana". Nothing is added without a title that has an article.

    `full_name` may be that of a former time: the present `title` counts only if it is the one in the name."""
    article = _article(full_name, title)
    if not article:
        return {
            "doctor": full_name,
            "the_doctor": full_name,
            "The_doctor": full_name,
            "of_doctor": f"de {full_name}",
        }
    return {
        "doctor": full_name,
        "the_doctor": f"{article} {full_name}",
        "The_doctor": f"{article.upper()} {full_name}",
        "of_doctor": f"d{article} {full_name}",
    }


def title_beside(full_name: str, title: str) -> str:
    """Return the title if a stored name needs it beside, to have its article later: "Psic. Inês"; "" otherwise."""
    return title if _article(full_name, title) != _article(full_name, "") else ""


@lru_cache(maxsize=2048)
def _article(full_name: str, title: str) -> str:
    """Return the article of a name, "" where it has none. Cards and events ask for those of a few doctors."""
    if title and full_name.startswith(f"{written(title)} "):
        return title.partition(" ")[0]
    articles = ARTICLES.get(_title_before(full_name), set())
    return min(articles) if len(articles) == 1 else ""


def contains_word(field: str, word: str) -> models.Q:
    """Return the condition that a word of a title begins with this text; the article before it is not looked at."""
    return models.Q((f"{field}__icontains", f" {word}"))


def _title_before(full_name: str) -> str:
    """Return the longest title with which a name begins, without its article; "" if only a title is there."""
    return next((title for title in ARTICLES if full_name.startswith(f"{title} ")), "")
