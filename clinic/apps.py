from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = _("Clínica")

    def ready(self) -> None:
        super().ready()
        key_check = import_module("clinic.access.key_check")  # needs the models, which are loaded now
        import_module("clinic.access.accesses").follow_sign_ins()
        import_module("clinic.access.open_sessions").follow_beginnings()
        checks.register(key_check.system_check, checks.Tags.database)


class ClinicAdminConfig(AdminConfig):
    default_site = "clinic.admin.site.ClinicAdminSite"

    def ready(self) -> None:
        super().ready()
        # Not Django's autodiscovery: creating the site imports clinic.admin, which would find no site to register with.
        import_module("clinic.admin.register")
