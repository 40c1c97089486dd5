from django.contrib import admin
from django.urls import include, path

from clinic.api.mivicall.operations.health import health

urlpatterns = [
    path("api/", include("clinic.api.imagemais.urls")),
    path("v1/", include("clinic.api.mivicall.urls")),
    path("health", health, name="health"),
    path("admin/", admin.site.urls),
    path("", include("clinic.web.urls")),
]

handler403 = "clinic.web.errors.permission_denied"
handler500 = "clinic.web.errors.server_error"
handler404 = "clinic.web.errors.page_not_found"
