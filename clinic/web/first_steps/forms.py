from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.form_fields import LocalDecimalField, WeekField, WeekInput
from clinic.models import Clinic, Doctor, Procedure, StaffUser
from clinic.models.clinic import REGIONS
from clinic.models.limits import max_length
from clinic.models.names import validate_has_letter
from clinic.models.procedure import LONGEST_DURATION, SHORTEST_DURATION
from clinic.models.titles import Title, split_title, validate_without_title
from clinic.registry import ProcedureDetails
from clinic.registry.starter_procedures import STARTER_PROCEDURES
from clinic.schedule import TOWN_HOLIDAYS
from clinic.web.staff.forms import InvitationForm

EMPTY_ROWS = 2


class PlaceForm(forms.Form):
    """Where the clinic is, and whether it closes on holidays."""

    region = forms.ChoiceField(label=gettext_lazy("Estado ou distrito"), required=False)
    town = forms.CharField(
        label=gettext_lazy("Cidade"),
        required=False,
        max_length=max_length(Clinic, "town"),
        widget=forms.TextInput(attrs={"list": "towns", "autocomplete": "off"}),
    )
    observes_holidays = forms.BooleanField(label=gettext_lazy("Fecha nos feriados"), required=False)

    def __init__(self, clinic: Clinic, data: QueryDict | None = None) -> None:
        stored = {name: getattr(clinic, name) for name in ("region", "town", "observes_holidays")}
        super().__init__(data, initial=stored)
        regions = cast("forms.ChoiceField", self.fields["region"])
        regions.choices = [("", "---------"), *REGIONS[clinic.country].items()]
        self.towns = sorted(TOWN_HOLIDAYS[clinic.country])


class ColleagueForm(InvitationForm):
    """Who else is invited: of the desk or of the management, since there are no doctors yet."""

    class Meta(InvitationForm.Meta):
        fields = ["name", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = cast("forms.ChoiceField", self.fields["role"])
        choices = cast("list[tuple[str, str]]", role.choices)
        role.choices = [choice for choice in choices if choice[0] != StaffUser.Role.DOCTOR]


class ProcedureRow(forms.Form):
    """A line of the list of procedures: it is added when it has a price, 0 for what nobody pays."""

    name = forms.CharField(label=gettext_lazy("Nome"), required=False, max_length=max_length(Procedure, "name"))
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutos"),
        required=False,
        min_value=SHORTEST_DURATION,
        max_value=LONGEST_DURATION,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 3}),
    )
    price = LocalDecimalField(
        label=gettext_lazy("Preço"),
        localize=True,
        required=False,
        min_value=0,
        max_digits=10,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8}),
    )

    def __init__(self, *args: Any, is_own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_own = is_own
        for field in self.fields.values():
            field.widget.attrs |= {"aria-label": field.label, "autocomplete": "off"}

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        has_price = self.has_price
        if has_price and not cleaned.get("name"):
            self.add_error("name", _("Escreva o nome do procedimento."))
        if has_price and "minutes" in cleaned and cleaned["minutes"] is None:
            self.add_error("minutes", _("Escreva os minutos."))
        if self.is_own and cleaned.get("name") and "price" in cleaned and not has_price:
            self.add_error("price", _("Escreva o preço, 0 se não se cobra."))
        if has_price and cleaned.get("name"):
            self._clean_letters(cleaned["name"])
        return cleaned

    def _clean_letters(self, name: str) -> None:
        try:
            validate_has_letter(name)
        except ValidationError as error:
            self.add_error("name", error)

    @property
    def has_price(self) -> bool:
        """False for a row that is left out."""
        return self.cleaned_data.get("price") is not None

    @property
    def details(self) -> ProcedureDetails:
        """What a valid row with a price says."""
        cleaned = self.cleaned_data
        return ProcedureDetails(name=cleaned["name"], price=cleaned["price"], duration_minutes=cleaned["minutes"])


class ProceduresForm:
    """The proposals of a speciality, and empty rows: a row with a price is added."""

    def __init__(self, clinic: Clinic, specialty: str, data: QueryDict | None = None) -> None:
        starters = STARTER_PROCEDURES[clinic.country].get(specialty, [])
        initial: list[dict[str, Any]] = [starter._asdict() for starter in starters] + [{} for _ in range(EMPTY_ROWS)]
        self.rows = [
            ProcedureRow(data, prefix=f"{number}", initial=row, is_own=not row) for number, row in enumerate(initial)
        ]
        self.error = ""

    def is_valid(self, *, may_be_empty: bool = False) -> bool:
        """Return whether every row can be added or is left out, and one is added unless there `may_be_empty`."""
        if any([not row.is_valid() for row in self.rows]):  # noqa: C419 -- each row says what is wrong with it
            return False
        if not (self.priced_rows or may_be_empty):
            self.error = _("Escreva o preço do que a clínica faz: 0 se não se cobra.")
        return not self.error

    @property
    def priced_rows(self) -> list[ProcedureRow]:
        """The rows of a valid form that are to be added."""
        return [row for row in self.rows if row.has_price]


class FirstDoctorForm(forms.Form):
    """A doctor, the hours of a week as text, and what the doctor performs: everything unless it is unticked."""

    title = forms.ChoiceField(label=gettext_lazy("Título"), choices=Title.choices, required=False)
    name = forms.CharField(label=gettext_lazy("Nome"), max_length=max_length(Doctor, "name"))
    week = WeekField(
        required=True,
        widget=WeekInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Como se escreve: seg-sex 8-12 13:30-18; sáb 8-12"),
    )
    procedures: "forms.ModelMultipleChoiceField[Procedure]" = forms.ModelMultipleChoiceField(
        None, label=gettext_lazy("Realiza"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, clinic: Clinic, data: QueryDict | None = None) -> None:
        offered = Procedure.objects.of(clinic).filter(active=True)
        super().__init__(data, initial={"procedures": [procedure.pk for procedure in offered]})
        cast("forms.ModelMultipleChoiceField[Procedure]", self.fields["procedures"]).queryset = offered
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_name(self) -> str:
        """Return the name; a title that was typed with it fills the empty field."""
        title, name = split_title(self.cleaned_data["name"])
        validate_has_letter(name)
        validate_without_title(name)
        self.cleaned_data["title"] = self.cleaned_data.get("title") or title
        return name
