from collections.abc import Iterable

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

class CompressedManifestStaticFilesStorage(ManifestStaticFilesStorage):
    def delete_files(self, files_to_delete: Iterable[str]) -> None: ...
