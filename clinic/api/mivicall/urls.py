from clinic.api.mivicall.api import api, door

app_name = "mivicall"

urlpatterns = door.routes(api)
