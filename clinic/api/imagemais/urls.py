from clinic.api.imagemais.api import api, door

app_name = "imagemais"

urlpatterns = door.routes(api)
