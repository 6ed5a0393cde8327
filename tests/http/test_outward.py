"""Where the server sends to: public addresses alone, and the very ones that were looked at."""

import socket
from typing import Any

import pytest

from headway.http.outward import _NOT_PUBLIC, AddressRefused, Outward
from tests.http.receiving import receiving
from tests.http.server import Site

OWN = "127.0.0.0/8"
REFUSED = ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"]
REFUSED += ["169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"]
REFUSED += ["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"]
REFUSED += ["[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001::1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]"]


@pytest.mark.parametrize("host", REFUSED)
def test_no_address_that_is_not_public_is_sent_to(host: str) -> None:
    with pytest.raises(AddressRefused, match="not public"):
        Outward(None).look(f"https://{host}/hook")
    assert Outward(None).send(f"https://{host}:1/hook", b"{}", {}).error is not None


@pytest.mark.parametrize(
    "url",
    [
        *("http://93.184.215.14/", "ftp://93.184.215.14/", "https://", "https:///x", "https://me:pw@93.184.215.14/"),
        *("https://93.184.215.14/#x", "https://93.184.215.14:99999/", "https://[::1/", "https://a b/", "https://é.fr/"),
        *("https://no-such-name.invalid/", "https://93.184.215.14/" + "x" * 2_000, "https://93.184.215.14:0/"),
    ],
)
def test_an_address_that_cannot_be_is_refused_when_it_is_given(sqlite_site: Site, url: str) -> None:
    admin = sqlite_site.person("root@example.org", "admin")
    reply = admin.post("/webhooks", json={"url": url})
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "url")


def test_public_addresses_are_taken_and_own_networks_where_they_are_named() -> None:
    assert Outward(None).look("https://93.184.215.14/").addresses == ["93.184.215.14"]
    assert Outward(None).look("https://[2606:4700::1111]:8443/").addresses == ["2606:4700::1111"]
    assert Outward("10.0.0.0/8, ::1").look("http://10.1.2.3/").addresses == ["10.1.2.3"]
    with pytest.raises(AddressRefused):
        Outward("10.0.0.0/8").look("http://11.1.2.3/")


def leading(monkeypatch: pytest.MonkeyPatch, *addresses: list[str]) -> list[str]:
    """Have the name hook.example lead elsewhere each time that it is asked for; what was asked for."""
    asked: list[str] = []
    real, left = socket.getaddrinfo, list(addresses)

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        if host != "hook.example":
            return real(host, port, *args, **kwargs)
        return [info for one in left.pop(0) for info in real(one, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_name_that_leads_inside_by_the_time_of_sending_is_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    leading(monkeypatch, ["93.184.215.14"], ["127.0.0.1"], ["93.184.215.14", "127.0.0.1"])
    public = Outward(None)
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        assert public.look(f"https://hook.example:{port}/").addresses == ["93.184.215.14"]
        for _ in range(2):
            outcome = public.send(f"https://hook.example:{port}/", b"{}", {})
            assert (outcome.status, outcome.error) == (
                None,
                _NOT_PUBLIC,
            )
        assert receiver.came == []


def test_what_is_connected_to_is_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving("127.0.0.2") as looked_at, receiving("127.0.0.1") as other:
        port = int(looked_at.url.split(":")[2].split("/")[0])
        asked = leading(monkeypatch, ["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"])
        outcome = Outward(OWN).send(f"http://hook.example:{port}/hook", b"{}", {})
        assert (outcome.status, asked.count("hook.example")) == (204, 1)
        assert ([one.headers["host"] for one in looked_at.came], other.came) == ([f"hook.example:{port}"], [])
