"""Where webhooks may go: public addresses of the internet, and nothing else.

Two rules, both asked at every attempt: what an address may look like (also when an endpoint is
registered), and which IP address may be connected to once its name is known.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult, urlsplit

URL_MAX: Final = 2048
PORTS: Final = frozenset({443, 8443})
"""Other ports lead to databases, mail servers and the like as easily as to a web server."""

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_INSIDE: Final = ("localhost", "local", "internal", "localdomain", "lan", "home", "arpa", "onion")

_Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def _networks(*texts: str) -> _Networks:
    return tuple(ipaddress.ip_network(text) for text in texts)


# `is_global` is not enough: it follows the IANA registries of one Python version, and lets pass
# multicast, some translated and compatible addresses, and one cloud's metadata server.
_NEVER: Final = _networks(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",  # carrier-grade NAT; one cloud's metadata server too
    "127.0.0.0/8",
    "168.63.129.16/32",  # public by number, and a cloud's server for its machines by use
    "169.254.0.0/16",  # link-local; metadata servers
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # Teredo, benchmarks, identifiers
    "2001:db8::/32",
    "2002::/16",  # 6to4: an IPv4 address in disguise
    "3fff::/20",
)
_IPV6_INTERNET: Final = ipaddress.ip_network("2000::/3")
"""What is outside is mapped, compatible, translated, local, multicast or not given out."""

_NEAR: Final = _networks(
    "10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"
)
"""What a developer's machine may be reached at. Link-local is not among it."""


def may_connect(address: str, *, near: bool = False) -> bool:
    """`address`: what a name was resolved to. `near`: private and loopback ones are fine too."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a scope in it (`fe80::1%eth0`), or no address at all
        return False
    if near and _is_in(ip, _NEAR):
        return True
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _IPV6_INTERNET:
        return False
    return ip.is_global and not ip.is_multicast and not _is_in(ip, _NEVER)


def target_mistake(url: str, *, near: bool = False) -> str | None:
    """Why nothing can be sent there, as far as the text tells. None: it looks fine.

    `near`: http, any port, and names of this machine are fine too. For development.
    """
    parts = _parts(url)
    if isinstance(parts, str):
        return parts
    host, port = (parts.hostname or "").removesuffix("."), parts.port
    if parts.scheme != "https" and not (near and parts.scheme == "http"):
        return "must begin with https://"
    if port == 0 or not (near or port is None or port in PORTS):
        return f"must use port {' or '.join(map(str, sorted(PORTS)))}"
    if _looks_like_an_address(host):
        fine = may_connect(host, near=near)
        return None if fine else "must be a public address"
    if _NAME.fullmatch(host) is None:
        return "has no host, or one that is no name"
    if near:
        return None
    labels = host.lower().split(".")
    is_inside = len(labels) == 1 or labels[-1] in _INSIDE
    return "must be a name of the public internet" if is_inside else None


def _parts(url: str) -> SplitResult | str:
    """Or what is wrong. Strict, so that no two readers of it find two hosts in it."""
    if len(url) > URL_MAX:
        return f"must have {URL_MAX} characters at most"
    if not url.isascii() or any(char <= " " or char in '\\"<>^`{|}\x7f' for char in url):
        return "must be an ASCII URL without spaces, quotes or backslashes"
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    rules: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: url[len(parts.scheme) :].startswith("://"), "must begin with https://"),
        (lambda: "@" not in parts.netloc, "must not contain a user name or password"),
        (lambda: "#" not in url, "must not contain a fragment"),
        (lambda: "%" not in parts.netloc, "has no host, or one that is no name"),
        (lambda: not parts.netloc.endswith(":"), "has a colon without a port"),
    )
    return next((mistake for holds, mistake in rules if not holds()), parts)


def _looks_like_an_address(host: str) -> bool:
    """Also in the old spellings (`127.1`, `0x7f000001`, `2130706433`), which are then refused."""
    last = host.rpartition(".")[2]
    return ":" in host or re.fullmatch(r"\d+|0[xX][0-9a-fA-F]*", last) is not None


def _is_in(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: _Networks) -> bool:
    return any(ip in network for network in networks)
