from clinic.api.mivicall import operations  # noqa: F401 - their routes
from clinic.api.mivicall.api import api, gateway
from clinic.api.mivicall.guide import reference

app_name = "mivicall"

urlpatterns = [*reference.routes(), *gateway.routes(api)]
