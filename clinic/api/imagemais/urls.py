from clinic.api.imagemais import views  # noqa: F401 - their routes
from clinic.api.imagemais.api import api, door

app_name = "imagemais"

urlpatterns = door.routes(api)
