"""The page on which a forgotten password is set anew."""

from typing import Any

import httpx2
import pytest

from tests.http.server import PASSWORD, Site
from tests.http.test_device_page import Forms
from tests.http.test_events import event, send
from tests.http.test_own_password import NEW, box, code_in, mailing, text_in

__all__ = ["box", "mailing"]
ADA = "ada@example.org"


def forms(reply: httpx2.Response) -> dict[str, Any]:
    """The forms of the page, by where they go; whatever it says, it runs no script and goes nowhere else."""
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in reply.headers["content-security-policy"]
    return {form["action"]: form for form in Forms(reply.text).found}


def sent(client: httpx2.Client, site: Site, action: str, **filled: str) -> httpx2.Response:
    """Fill a form of the page in, and send it as a browser does."""
    fields = forms(client.get(f"{site.url}/reset-password"))[action]["fields"]
    assert filled.keys() == fields.keys()
    origin = {"origin": site.url, "sec-fetch-site": "same-origin"}
    return client.post(f"{site.url}{action}", data=filled, headers=origin)


def test_who_forgot_the_password_chooses_another_and_is_signed_in(mailing: Site, box: Any) -> None:
    stolen = mailing.person(ADA)
    client = mailing.client()
    send(client, event())  # as a guest, who comes along
    asked = sent(client, mailing, "/reset-password/mail", email=ADA)
    assert asked.status_code == 200
    assert 'role="status"' in asked.text
    letter = box.next()
    assert "https://learn.example.org/reset-password\n" in text_in(letter)
    done = sent(client, mailing, "/reset-password", code=f" {code_in(letter)} ", password=NEW)
    assert (done.status_code, "Your password is set" in done.text) == (200, True)
    assert client.get("/auth/me").json()["learner"]["email"] == ADA
    assert len(client.get("/progress/events").json()["items"]) == 1
    assert stolen.get("/auth/me").json()["kind"] == "nobody"
    assert mailing.client().post("/auth/login", json={"email": ADA, "password": NEW}).status_code == 200
    again = sent(mailing.client(), mailing, "/reset-password", code=code_in(letter), password=PASSWORD)
    assert again.status_code == 422


def test_whether_there_is_an_account_is_not_told(mailing: Site, box: Any) -> None:
    mailing.person(ADA)
    known, unknown = (sent(mailing.client(), mailing, "/reset-password/mail", email=one) for one in (ADA, f"b{ADA}"))
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    box.next()
    assert len(box.letters) == 1


@pytest.mark.parametrize(
    ("action", "filled", "said"),
    [
        ("/reset-password", {"code": "no-code", "password": NEW}, "code"),
        ("/reset-password/mail", {"email": '<b>"no address'}, "email"),
    ],
)
def test_what_is_wrong_is_told_on_the_page_and_changes_nothing(
    mailing: Site, action: str, filled: dict[str, str], said: str
) -> None:
    client = mailing.person(ADA)
    reply = sent(mailing.client(), mailing, action, **filled)
    assert reply.status_code == 422
    assert 'role="alert"' in reply.text
    assert said in reply.text.lower()
    assert "<b>" not in reply.text
    assert forms(reply).keys() == {"/reset-password", "/reset-password/mail"}
    assert client.get("/auth/me").json()["kind"] == "account"


@pytest.mark.parametrize("action", ["/reset-password", "/reset-password/mail"])
def test_another_site_cannot_send_the_forms(mailing: Site, box: Any, action: str) -> None:
    mailing.person(ADA)
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    reply = mailing.client().post(f"{mailing.url}{action}", data={"email": ADA, "code": "x"}, headers=headers)
    assert reply.status_code == 403
    assert not box.letters
