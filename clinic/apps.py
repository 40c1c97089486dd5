from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = _("Clínica")


class ClinicAdminConfig(AdminConfig):
    default_site = "clinic.admin.site.ClinicAdminSite"

    def ready(self):
        super().ready()
        # Not by Django's autodiscovery: making the site imports clinic.admin, which would register to no site yet.
        import_module("clinic.admin.nouns")
