"""The texts that a clinic sends to its patients: their placeholders in braces, and what is put in the places."""

import re
from collections.abc import Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

PLACEHOLDERS = ("paciente", "data", "hora", "medico", "clinica", "endereco", "procedimento", "preparo")
OF_HEALTH = {"procedimento", "preparo"}
IN_BRACES = re.compile(r"\{([^{}]*)\}")
RECALL_PLACEHOLDERS = ("paciente", "medico", "clinica", "endereco", "procedimento")


def in_braces(names: Iterable[str]) -> str:
    """Return "{paciente}, {data}" of placeholders."""
    return ", ".join(f"{{{name}}}" for name in names)


KNOWN, KNOWN_IN_RECALLS = in_braces(PLACEHOLDERS), in_braces(RECALL_PLACEHOLDERS)


def placeholders(text: str) -> list[str]:
    """Return what stands in braces, in order, known or not."""
    return IN_BRACES.findall(text)


def validate_message_text(text: str) -> None:
    """Raise ValidationError for an unknown placeholder, and for a brace without the other one."""
    _validate(text, PLACEHOLDERS)


def validate_recall_text(text: str) -> None:
    """The same for a text about another visit, which has no date yet."""
    _validate(text, RECALL_PLACEHOLDERS)


def _validate(text: str, names: Sequence[str]) -> None:
    known = in_braces(names)
    for name in placeholders(text):
        if name not in names:
            sentence = _("“%(found)s” não é um campo. Os campos são: %(known)s.")
            raise ValidationError(sentence, code="unknown", params={"found": f"{{{name}}}", "known": known})
    if "{" in (rest := IN_BRACES.sub("", text)) or "}" in rest:
        sentence = _("Há uma chave sem o seu par. Os campos são: %(known)s.")
        raise ValidationError(sentence, code="brace", params={"known": known})


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with a value for each placeholder; a line in which all of them stand for nothing is left out."""
    lines = [line for line in text.splitlines() if _says_something(line, values)]
    return IN_BRACES.sub(lambda found: values[found[1]], "\n".join(lines))


def _says_something(line: str, values: Mapping[str, str]) -> bool:
    names = placeholders(line)
    return not names or any(values[name] for name in names)
