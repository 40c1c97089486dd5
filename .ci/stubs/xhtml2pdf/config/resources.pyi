from dataclasses import dataclass
from pathlib import Path

@dataclass(frozen=True)
class ResourceAccessPolicy:
    allow_remote: bool = True
    allow_private_networks: bool = False
    allowed_hosts: frozenset[str] | None = None
    base_dir: Path | None = ...
    extra_roots: tuple[Path, ...] = ...
    allow_local_outside_base: bool = False
    max_resource_bytes: int | None = ...
    max_local_bytes: int | None = None
    max_image_pixels: int | None = None
    max_resources: int | None = None
    max_total_bytes: int | None = None
    max_fetch_seconds: float | None = None
    max_render_seconds: float | None = None
    max_document_bytes: int | None = None
    max_depth: int | None = None
    allow_remote_pdf_backgrounds: bool = True
