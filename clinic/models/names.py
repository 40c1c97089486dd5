"""Search names by their letters, ignoring punctuation and spaces between them.

PostgreSQL does the comparison; this module only splits texts. Both sides are folded by `clinic_fold` (migration 0001),
and the stored side is stripped by `clinic_letters` (migration 0005), on which the model has an index: a second
generated column would have rewritten the table.
"""

import re

from django.core.exceptions import ValidationError
from django.db.models import Func, Q, TextField, Transform, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from clinic.models.ranges import Fold

# Unicode classifies these as letters. People, `clinic_fold` and `clinic_letters` use them as apostrophes.
MARKS = "ʹʺʻʼʽˆˈˋː"
# Apostrophes and hyphens, typographic ones and their substitutes, are part of a word; other punctuation ends it.
APOSTROPHES = "'`´‘’‛′＇" + MARKS
HYPHENS = "-\u00ad‐‑‒–—―−﹣－"
JOINING = re.escape(APOSTROPHES + HYPHENS)
WORD = re.compile(rf"[^\W_{MARKS}]+(?:[{JOINING}]+[^\W_{MARKS}]+)*")
_ACCENTED = str.maketrans("áàâãçéêíóôõú", "aaaaceeiooou")
SHORTEST_PART = 3  # the fewest letters that a trigram index can find inside a word


@TextField.register_lookup
class Letters(Transform):
    """Remove punctuation and spaces from a folded text, by the SQL function of migration 0005."""

    lookup_name = "letters"
    function = "clinic_letters"
    output_field = TextField()


@TextField.register_lookup
class Heard(Transform):
    """Write a folded text as it is heard in Portuguese, by the SQL function of migration 0025: Thiago as tiago."""

    lookup_name = "heard"
    function = "clinic_heard"
    output_field = TextField()


class AcrossWords(Func):
    """Return a pattern that matches a word's letters from the beginning of a stored word on, across separators."""

    function = "clinic_across_words"
    output_field = TextField()


def words(text: str) -> list[str]:
    """Split a text into words, with their joining marks: `(D’Ávila), Müller-Weiß.` has two."""
    return WORD.findall(text)


def initials(name: str) -> str:
    """Return the first and the last initial of a name: A. L. for Ana de Souza Lima."""
    letters = [word[0].upper() for word in words(name)]
    return " ".join(f"{letter}." for letter in letters[:1] + letters[1:][-1:])


def has_letter(name: str) -> bool:
    """Return whether the text has a letter of any script, as every name of a person or thing does."""
    return any(char.isalpha() and char not in MARKS for char in name)


def validate_has_letter(name: str) -> None:
    """Raise ValidationError for a name without a letter."""
    if not has_letter(name):
        raise ValidationError(_("O nome não tem nenhuma letra. Escreva-o de novo."), code="no_letter")


def without_accents(text: str) -> str:
    """Return the text with the accented small letters of Portuguese as plain ones, letter for letter."""
    return text.translate(_ACCENTED)


def letters(word: str) -> str:
    """Return the letters and digits of a word, without its joining marks."""
    return "".join(char for char in word if char.isalnum() and char not in MARKS)


def same_letters(field: str, name: str) -> Q:
    """Return the condition that the folded `field` has the letters of this name, whatever separates them."""
    return Q((f"{field}__letters", Letters(Fold(Value(name, output_field=TextField())))))


def same_letters_within(field: str, name: str) -> Q:
    """Return the condition that the folded `field` contains the letters of this name; an index of trigrams finds it."""
    return Q((f"{field}__letters__contains", Letters(Fold(Value(name, output_field=TextField())))))


def contains_heard(field: str, word: str) -> Q:
    """Return the condition that the folded `field` contains a word that is heard like this one: `luis` matches Luiz.

    A word of one or two letters must begin a name, as for `contains_word`."""
    heard = Heard(Letters(Fold(Value(word, output_field=TextField()))))
    if len(letters(word)) < SHORTEST_PART:
        return Q((f"{field}__heard__startswith", heard)) | Q((f"{field}__heard__contains", Concat(Value(" "), heard)))
    return Q((f"{field}__heard__contains", heard))


def contains_word(field: str, word: str) -> Q:
    """Return the condition that the folded `field` contains this word; one or two letters must begin a name.

    Apostrophes and hyphens are ignored: `davila` matches D'Ávila. So are spaces, from the beginning of a name on:
    `dossantos` matches dos Santos, but `ana` does not match Maria Nunes. A word without letters matches nothing.
    """
    folded = Letters(Fold(Value(word, output_field=TextField())))
    if len(letters(word)) < SHORTEST_PART:
        return Q((f"{field}__startswith", folded)) | Q((f"{field}__contains", Concat(Value(" "), folded)))
    # The second condition includes the first, at twice the cost: PostgreSQL evaluates it for the other rows only.
    across = Q((f"{field}__letters__contains", folded), (f"{field}__regex", AcrossWords(folded)))
    return Q((f"{field}__contains", folded)) | across
