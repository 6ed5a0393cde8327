"""The page by which an account's address is confirmed, `/confirm-email/TOKEN`, and the mail that leads to it.

The token proves that whoever has it reads the mail of that address; it does not matter who is signed in.
"""

from functools import partial
from html import escape
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from headway.http import who
from headway.http.exchange import Asked, exchange_of
from headway.http.mail import Letter
from headway.http.pages import broken_link_reply, html_reply, settled_reply
from headway.http.reply import Reply
from headway.http.services import Services
from headway.ledger.confirming import Unconfirmed, confirm, link_due, not_mailed, whose_link

PAGE: Final = "/confirm-email/{token:str}"


def next_link(services: Services, learner_id: str) -> Unconfirmed | None:
    """The link by which an account confirms its address, now counted as mailed; None if none is due."""
    is_limited = services.settings.rate_limits
    return link_due(services.database, learner_id, now=who.now(), is_limited=is_limited)


def mail_link(services: Services, link: Unconfirmed) -> None:
    """Mail a link to confirm an address; if that fails, take back that it was counted."""
    text = (
        "Somebody, you perhaps, asked for e-mail about learning to this address. If it was you, confirm it here:\n\n"
        f"{(services.settings.public_url or '').rstrip('/')}/confirm-email/{link.token}\n\n"
        "If it was not you, there is nothing to do: nothing is sent until somebody opens this and says yes.\n"
    )
    if not services.mail.send(Letter(link.email, "Confirm your address for Headway", text)):
        not_mailed(services.database, link)


@get(PAGE, include_in_schema=False)
async def confirm_page(request: Asked, token: FromPath[str]) -> Reply:
    """Ask before confirming: programs that open the links of mails must confirm nothing."""
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
    return settled_reply("Your address is confirmed", "From now on you get what you chose.")


def _missing() -> Reply:
    return broken_link_reply("Open it again from the e-mail, or have another sent in the settings.")


handlers: Final = [confirm_page, confirm_at_once]
