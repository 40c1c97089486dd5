from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the address under which failures of this request are counted.

    Behind a trusted proxy it is the address that the proxy appended; the client could have written the ones before it.
    An IPv6 client owns a whole /64, which therefore counts as one address. None when the server gives no address.
    """
    text: str = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXY:
        text = request.headers.get("X-Forwarded-For", text).rpartition(",")[2].strip()
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or ip_network((int(address), 64), strict=False).network_address
    return str(address)
