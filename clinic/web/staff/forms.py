import uuid
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth.forms import SetPasswordMixin
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from clinic import transactions
from clinic.access import staff_links
from clinic.models import Clinic, Doctor, StaffLink, StaffUser
from clinic.models.limits import max_length
from clinic.models.names import validate_has_letter
from clinic.models.staff import SWITCHES
from clinic.refusals import Refused
from clinic.registry.patient_details import tidy

if TYPE_CHECKING:
    PasswordMixin = SetPasswordMixin[StaffUser]
    StaffModelForm = forms.ModelForm[StaffUser]
else:  # Django's classes take no type arguments when they run
    PasswordMixin, StaffModelForm = SetPasswordMixin, forms.ModelForm

USERNAME = StaffUser._meta.get_field("username")
TAKEN = USERNAME.error_messages["unique"]
DOCTOR_TAKEN = StaffUser._meta.get_field("doctor").error_messages["unique"]


class InvitationForm(StaffModelForm):
    """Who is invited, and what this person may do. `form_key` tells one sending of the form from all others."""

    form_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    class Meta:
        model = StaffUser
        fields = ["name", "role", "doctor", *SWITCHES]

    def __init__(self, clinic: Clinic, by: StaffUser, data: QueryDict | None = None) -> None:
        super().__init__(data, instance=StaffUser(clinic=clinic))
        role = cast("forms.ChoiceField", self.fields["role"])
        if not by.is_master:
            role.choices = [choice for choice in StaffUser.Role.choices if choice[0] != StaffUser.Role.MASTER]
        if doctor := cast("Any", self.fields.get("doctor")):
            doctor.queryset = Doctor.objects.of(clinic).filter(active=True, user=None)
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean_name(self) -> str:
        validate_has_letter(self.cleaned_data["name"])
        return tidy(self.cleaned_data["name"])

    @sensitive_variables()
    def invite(self, by: StaffUser) -> tuple[StaffLink, str] | None:
        """Invite who the valid form describes, as `staff_links.invite`; None, with the complaint, where another window
        was quicker."""
        clinic = cast("Clinic", self.instance.clinic)
        of_user = {name: value for name, value in self.cleaned_data.items() if name != "form_key"}
        try:
            with transactions.try_again_when_held():
                return staff_links.invite(clinic, by=by, form_key=self.cleaned_data["form_key"], **of_user)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                self.add_error(name if name in self.fields else None, messages)
        except IntegrityError:  # the only name that two can choose is that of a doctor
            self.add_error("doctor" if "doctor" in self.fields else None, DOCTOR_TAKEN)
        except Refused as held:
            self.add_error(None, held.message)
        return None


class AcceptForm(PasswordMixin, forms.Form):
    """The password that a person chooses, by an invitation the user name too."""

    username = forms.CharField(
        label=gettext_lazy("Usuário"),
        max_length=max_length(StaffUser, "username"),
        validators=USERNAME.validators,
        help_text=gettext_lazy("Para entrar. Exemplo: ana.souza"),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "username"}),
    )
    password1, password2 = SetPasswordMixin.create_password_fields(
        label1=gettext_lazy("Senha"), label2=gettext_lazy("A mesma senha, outra vez")
    )
    error_messages = {"password_mismatch": gettext_lazy("As duas senhas não são iguais.")}

    def __init__(self, link: StaffLink, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.user = cast("StaffUser", link.user)
        self.fields["password1"].help_text = _("Pelo menos 10 caracteres, e nada que se adivinhe.")
        self.fields["password2"].help_text = ""
        if not link.is_invitation:
            del self.fields["username"]
        self.fields[next(iter(self.fields))].widget.attrs["autofocus"] = True

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if staff_links.is_taken(username, besides=self.user):
            raise ValidationError(TAKEN, code="unique")
        return username

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.user.username = self.cleaned_data.get("username", self.user.username)
        self.validate_passwords()
        self.validate_password_for_user(self.user)
        return self.cleaned_data
