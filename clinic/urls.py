from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("clinic.web.urls")),
]

handler403 = "clinic.web.views.errors.permission_denied"
handler404 = "clinic.web.views.errors.page_not_found"
