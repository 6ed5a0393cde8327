"""The page by which an account's address is confirmed, `/confirm-email/TOKEN`, and the mail that leads to it.

The token proves that whoever has it reads that mail. Who is signed in is not looked at.
"""

from functools import partial
from html import escape
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from headway.http import who
from headway.http.exchange import Asked, exchange_of
from headway.http.mail import Letter
from headway.http.pages import html_reply
from headway.http.reply import Reply
from headway.http.services import Services
from headway.ledger.confirming import confirm, link_due, whose_link

PAGE: Final = "/confirm-email/{token:str}"


def send_link(services: Services, learner_id: str) -> None:
    """Mail an account the link that confirms its address, if that is due."""
    found = link_due(services.database, learner_id, now=who.now())
    if found is None:
        return
    text = (
        "Somebody, you perhaps, asked for e-mail about learning to this address. If it was you, confirm it here:\n\n"
        f"{(services.settings.public_url or '').rstrip('/')}/confirm-email/{found.token}\n\n"
        "If it was not you, there is nothing to do: nothing is sent until somebody opens this and says yes.\n"
    )
    services.mail.send(Letter(found.email, "Confirm your address for Headway", text))


@get(PAGE, include_in_schema=False)
async def confirm_page(request: Asked, token: FromPath[str]) -> Reply:
    """Ask whether: programs that look at what links lead to must confirm nothing."""
    services = exchange_of(request).services
    if await services.read(lambda connection: whose_link(connection, token)) is None:
        return _missing()
    body = f"""<h1>Is this your address?</h1>
<form class="card" action="/confirm-email/{escape(token)}" method="post">
<p>Then you get the e-mail that your account asks for. Each one has a link to stop it.</p>
<div class="choices"><button>Yes, it is mine</button></div>
</form>"""
    return html_reply("Is this your address?", body)


@post(PAGE, include_in_schema=False, status_code=200)
async def confirm_at_once(request: Asked, token: FromPath[str]) -> Reply:
    """Note that the address is confirmed."""
    services = exchange_of(request).services
    if await services.run(partial(confirm, services.database, token, now=who.now())) is None:
        return _missing()
    body = (
        "<h1>Your address is confirmed</h1>\n<p>From now on you get what you chose.</p>\n"
        '<p><a href="/settings/notifications">All settings</a></p>'
    )
    return html_reply("Your address is confirmed", body)


def _missing() -> Reply:
    body = (
        "<h1>This link is not whole</h1>\n<p>Open it again from the e-mail, or have another sent in the settings.</p>\n"
        '<p><a href="/settings/notifications">All settings</a></p>'
    )
    return html_reply("This link is not whole", body, 404)


handlers: Final = [confirm_page, confirm_at_once]
