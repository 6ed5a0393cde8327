"""The page to unsubscribe from a kind of mail: `/unsubscribe/KIND/TOKEN`; by one click (RFC 8058).

The token proves that its holder got the mail. Session and origin of the request are not checked: mail programs send it
by themselves, without cookies.
"""

from functools import partial
from html import escape
from typing import Final

from litestar import get, post
from litestar.params import FromPath

from headway.http.exchange import Asked, exchange_of
from headway.http.letters import NAMES
from headway.http.pages import broken_link_reply, html_reply, settled_reply
from headway.http.reply import Reply
from headway.ledger.preferences import unsubscribe, whose_token

PAGE: Final = "/unsubscribe/{kind:str}/{token:str}"


@get(PAGE, include_in_schema=False)
async def unsubscribe_page(request: Asked, kind: FromPath[str], token: FromPath[str]) -> Reply:
    """Ask before unsubscribing: programs that open the links of mails must not unsubscribe anybody."""
    services = exchange_of(request).services
    if await services.read(lambda connection: whose_token(connection, kind, token)) is None:
        return _missing()
    body = f"""<h1>No more e-mail?</h1>
<form class="card" action="/unsubscribe/{escape(kind)}/{escape(token)}" method="post">
<p>You will get no more e-mail about {NAMES[kind]}. Notifications in Headway itself go on as before.</p>
<div class="choices"><button>No more of these</button></div>
</form>"""
    return html_reply("No more e-mail?", body)


@post(PAGE, include_in_schema=False, status_code=200)
async def unsubscribe_at_once(request: Asked, kind: FromPath[str], token: FromPath[str]) -> Reply:
    """Unsubscribe, whatever the body says: mail programs and the page's button both send this."""
    services = exchange_of(request).services
    if await services.run(partial(unsubscribe, services.database, kind, token)) is None:
        return _missing()
    said = f"You get no more e-mail about {NAMES[kind]}. What is being sent at this moment may still arrive."
    return settled_reply("That was the last one", said)


def _missing() -> Reply:
    return broken_link_reply("Open it again from the e-mail or choose in Headway what you get.")


handlers: Final = [unsubscribe_page, unsubscribe_at_once]
