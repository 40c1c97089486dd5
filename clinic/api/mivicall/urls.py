# Importing a module of views declares its operations.
from clinic.api.mivicall import appointments, availability, directory, patients  # noqa: F401
from clinic.api.mivicall.api import api, door

app_name = "mivicall"

urlpatterns = door.routes(api)
