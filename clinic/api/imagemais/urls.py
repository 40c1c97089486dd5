from clinic.api.imagemais import operations  # noqa: F401 - their routes
from clinic.api.imagemais.api import api, gateway
from clinic.api.imagemais.guide import reference

app_name = "imagemais"

urlpatterns = [*reference.routes(), *gateway.routes(api)]
