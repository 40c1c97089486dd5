"""How names are looked for: by their letters, whatever stands between them.

PostgreSQL compares; here a text is only taken apart. Both sides are folded by `clinic_fold` (migration 0001), and the
stored one is stripped by `clinic_letters` (migration 0005), of which the model has an index: a second generated column
would have rewritten the table.
"""

import re

from django.core.exceptions import ValidationError
from django.db.models import Func, Q, TextField, Transform, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from clinic.models.ranges import Fold

# Letters to Unicode. To people, and to `clinic_fold` and `clinic_letters`, they are apostrophes and the like.
MARKS = "ʹʺʻʼʽˆˈˋː"
# Apostrophes and hyphens, the typographic ones and what people type for them, stand inside a word; all other
# punctuation ends it.
APOSTROPHES = "'`´‘’‛′＇" + MARKS
HYPHENS = "-\u00ad‐‑‒–—―−﹣－"
JOINING = re.escape(APOSTROPHES + HYPHENS)
WORD = re.compile(rf"[^\W_{MARKS}]+(?:[{JOINING}]+[^\W_{MARKS}]+)*")
SHORTEST_PART = 3  # letters that a trigram index can look for inside a word


@TextField.register_lookup
class Letters(Transform):
    """A folded text without punctuation and spaces, by the SQL function of migration 0005."""

    lookup_name = "letters"
    function = "clinic_letters"
    output_field = TextField()


class AcrossWords(Func):
    """The pattern of a word's letters from the beginning of a stored word on, whatever stands between them."""

    function = "clinic_across_words"
    output_field = TextField()


def words(text: str) -> list[str]:
    """The words of a text with what joins them inside: `(D’Ávila), Müller-Weiß.` has two."""
    return WORD.findall(text)


def has_letter(name: str) -> bool:
    """A name of a person or a thing has one, in whatever script."""
    return any(char.isalpha() and char not in MARKS for char in name)


def validate_has_letter(name: str) -> None:
    """Raises ValidationError."""
    if not has_letter(name):
        raise ValidationError(_("O nome não tem nenhuma letra. Escreva-o de novo."), code="no_letter")


def letters(word: str) -> str:
    return "".join(char for char in word if char.isalnum() and char not in MARKS)


def same_letters(field: str, name: str) -> Q:
    """Rows whose folded `field` is this name by its letters, whatever stands between them."""
    return Q((f"{field}__letters", Letters(Fold(Value(name, output_field=TextField())))))


def called(field: str, word: str) -> Q:
    """Rows whose folded `field` has this word as a part of a name, with one or two letters as a name's beginning.

    Apostrophes and hyphens never stand between: `davila` is in D'Ávila. Nor do spaces, from the beginning of a name on:
    `dossantos` is in dos Santos, `ana` not in Maria Nunes. Nobody has a word without letters.
    """
    folded = Letters(Fold(Value(word, output_field=TextField())))
    if len(letters(word)) < SHORTEST_PART:
        return Q((f"{field}__startswith", folded)) | Q((f"{field}__contains", Concat(Value(" "), folded)))
    # The second part finds the first one's rows as well, but at twice the price: PostgreSQL asks it of the others only.
    across = Q((f"{field}__letters__contains", folded), (f"{field}__regex", AcrossWords(folded)))
    return Q((f"{field}__contains", folded)) | across
