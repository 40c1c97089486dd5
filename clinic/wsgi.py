import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

application = get_wsgi_application()
# The views and what they need are loaded now instead of by the first request, and all that is loaded stays: looking
# through it for garbage again and again took a fifth of every request's time.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
