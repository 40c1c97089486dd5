"""What the panel says about a discount that is meant for other ages; it stands in the way of no booking."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.booking import PricedLine
from clinic.models import Discount
from clinic.templatetags.formats import age


def warnings_about_age(lines: Iterable[PricedLine], born: date | None, day: date) -> list[str]:
    """Return a sentence for each discount of the lines that is not meant for the age on the local date `day`."""
    if born is None or born > day:
        return []
    discounts = dict.fromkeys(discount for line in lines for discount, _amount in line.discounts)
    return [_sentence(discount, born, day) for discount in discounts if not discount.is_for_age(born, day)]


def _sentence(discount: Discount, born: date, day: date) -> str:
    sentence = _(
        "O desconto “%(discount)s” é para %(ages)s, e em %(day)s a idade é de %(age)s. Confira a data de nascimento ou "
        "tire o desconto."
    )
    return sentence % {
        "discount": discount,
        "ages": _ages(discount),
        "day": f"{day:%d/%m/%Y}",
        "age": age(born, day),
    }


def _ages(discount: Discount) -> str:
    least, most = discount.minimum_age, discount.maximum_age
    if most is None:
        return ngettext("quem tem %(n)s ano ou mais", "quem tem %(n)s anos ou mais", least or 0) % {"n": least}
    if least is None:
        return ngettext("quem tem até %(n)s ano", "quem tem até %(n)s anos", most) % {"n": most}
    return _("quem tem de %(least)s a %(most)s anos") % {"least": least, "most": most}
