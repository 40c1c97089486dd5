"""Mixins for forms that ask about a doubtful phone, an unusual age, a NIF and a possible duplicate patient."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic import registry
from clinic.form_fields import ids_in
from clinic.models import Clinic, Patient, documents, phones
from clinic.models.patient import OLDEST, years_between
from clinic.refusals import Refusal

if TYPE_CHECKING:
    from django.forms import BaseForm

    class _FormMixin(BaseForm):
        data: MultiValueDict[str, str]
else:
    _FormMixin = object


class AsksAboutPhone(_FormMixin):
    """A form with a field `phone` that asks when another number may be intended, as for a mobile without its ninth
    digit.

    The box `phone_is_right` confirms exactly the suggested number; until then it replaces nothing.
    """

    asked_phone: tuple[str, str] | None = None  # (E.164, formatted) of the number to ask about
    completed_phone = ""  # formatted, of a number to which the clinic's area code was added

    @property
    def phone_is_confirmed(self) -> bool:
        return self.asked_phone is not None and self.data.get("phone_is_right") == self.asked_phone[0]

    @property
    def asks_phone(self) -> bool:
        return self.asked_phone is not None and (self.phone_is_confirmed or "phone" in self.errors)

    def confirmed_phone(self, clinic: Clinic) -> str:
        """Return the phone as typed, or the suggested number once it is confirmed."""
        typed = self.cleaned_data.get("phone") or ""
        phone = phones.read(typed, clinic.country, clinic.area_code)
        if phone.area and not phone.fault:
            self.completed_phone = phones.written(PhoneNumber.from_string(phone.number), clinic.country)
        self.asked_phone = (phone.suggested, str(phone.params["phone"])) if phone.suggested else None
        return phone.suggested if self.phone_is_confirmed else typed


class AsksAboutAge(_FormMixin):
    """A form with a field `birth_date`. Above OLDEST years the box `old_is_right` confirms exactly that day."""

    asked_age: tuple[str, int] | None = None  # (birth date in ISO form, age) to ask about
    age_question = _("São %(age)s anos. Confira o ano; se está certo, marque a caixa ao lado e salve de novo.")

    def named(self, name: str) -> str:
        """Return the name under which a field is sent."""
        return name

    def ask_about_age(self, stored: date | None = None) -> None:
        """Refuse the birth date unless it is plausible, equal to `stored`, or confirmed."""
        born = self.cleaned_data.get(self.named("birth_date"))
        years = years_between(born, timezone.localdate()) if born else 0
        self.asked_age = (born.isoformat(), years) if born and years > OLDEST and born != stored else None
        if self.asked_age and self.data.get(self.named("old_is_right")) != self.asked_age[0]:
            question = ValidationError(self.age_question, code="old", params={"age": years})
            self.add_error(self.named("birth_date"), question)


class AsksAboutDoubles(_FormMixin):
    """A form of a new patient who may be one of `doubles`. Ids of those confirmed to be other people are posted as
    `besides`."""

    doubles: Sequence[Patient] = ()

    @property
    def besides(self) -> list[int]:
        """Ids of the patients who were shown and confirmed to be other people."""
        return ids_in(self.data, "besides")


class AsksAboutNif(_FormMixin):
    """A form with the fields `cpf` and `nif`, which shows who has a number already.

    A NIF that another patient has, or that begins like a company's, is asked about: the box `nif_is_right` confirms
    exactly that number.
    """

    asked_nif: str | None = None
    owners: Sequence[tuple[int, str]] = ()  # ids and names of the patients who have a number that was typed
    shared_question = _(
        "Este NIF já está no cadastro de %(name)s. É a mesma pessoa, ou um familiar? Se for de um familiar, selecione a"
        " caixa."
    )
    entity_question = _(
        "Este NIF é de uma empresa ou entidade: começa por %(digit)s. Se está certo, selecione a caixa; senão, deixe em"
        " branco."
    )

    def ask_about_nif(self, clinic: Clinic, patient: Patient | None = None) -> None:
        """Refuse a NIF that needs a question, unless it is stored for this `patient`, or confirmed. One query."""
        nif = documents.read_nif(self.cleaned_data.get("nif") or "")
        if nif == documents.FINAL_CONSUMER_NIF or not documents.is_nif(nif) or patient and nif == patient.nif:
            return
        owner = registry.nif_owner(clinic, nif, besides=patient.pk if patient else None)
        if not owner and not documents.is_nif_of_entity(nif):
            return
        self.asked_nif = nif
        if self.data.get("nif_is_right") == nif:
            return
        if owner:
            self.owners = [*self.owners, (owner.pk, owner.display_name)]
            error = ValidationError(self.shared_question, code="shared", params={"name": owner.display_name})
        else:
            error = ValidationError(self.entity_question, code="entity", params={"digit": nif[0]})
        self.add_error("nif", error)

    def remember_owners(self, refusals: Iterable[Refusal]) -> None:
        """Keep the owners that the refusals name, to be shown with a link to each."""
        named = [(each.params["owner"], each.params["name"]) for each in refusals if "owner" in each.params]
        self.owners = [*self.owners, *named]
