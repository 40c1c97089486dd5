from django.contrib import admin
from django.urls import include, path, re_path

from clinic.api.imagemais.api import gateway as imagemais
from clinic.api.llms import llms
from clinic.api.mivicall.api import gateway as mivicall
from clinic.api.mivicall.guide import reference as mivicall_reference
from clinic.api.mivicall.operations.health import health

urlpatterns = [
    path("api/", include("clinic.api.imagemais.urls")),
    path("v1/", include("clinic.api.mivicall.urls")),
    re_path("^[Aa][Pp][Ii]/", imagemais.refuse),
    re_path("^[Vv]1/", mivicall.refuse),
    path("openapi.json", mivicall_reference.public(mivicall_reference.openapi)),
    path("llms.txt", llms),
    path("health", health, name="health"),
    path("health/", health),
    path("admin/", admin.site.urls),
    path("", include("clinic.web.urls")),
]

handler400 = "clinic.api.refused_requests.bad_request"
handler403 = "clinic.web.errors.permission_denied"
handler500 = "clinic.web.errors.server_error"
handler404 = "clinic.web.errors.page_not_found"
