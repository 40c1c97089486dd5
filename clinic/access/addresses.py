from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings


def client_address(request) -> str | None:
    """Where a request comes from, as sign-in failures are counted.

    Behind a trusted proxy that is what the proxy itself appended, never what the client wrote before it. An IPv6
    client owns a whole /64, so that is what counts as one address. None when the server names no address.
    """
    written = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXY:
        written = request.headers.get("X-Forwarded-For", written).rpartition(",")[2].strip()
    try:
        address = ip_address(written)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or ip_network((int(address), 64), strict=False).network_address
    return str(address)
