from clinic.api.mivicall import operations  # noqa: F401 - their routes
from clinic.api.mivicall.api import api, door
from clinic.api.mivicall.guide import reference

app_name = "mivicall"

urlpatterns = [*reference.routes(), *door.routes(api)]
