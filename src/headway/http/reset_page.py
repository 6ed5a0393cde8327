"""The page on which a forgotten password is set anew: `/reset-password`. It works without a script."""

from html import escape
from typing import Final

from litestar import get, post
from msgspec import Struct

from headway.domain.errors import HeadwayError, IdentityGone, Invalid
from headway.http import who
from headway.http.bodies import read_fields
from headway.http.exchange import Asked, exchange_of
from headway.http.own_password import ask_for_mail, set_anew
from headway.http.pages import html_reply
from headway.http.problems import problem_of
from headway.http.reply import Reply
from headway.http.signing_in import open_session
from headway.ledger.throttles import RateLimited

PAGE: Final = "/reset-password"
_TITLE: Final = "Choose a new password"
# Errors that people can do something about are told on the page; everything else is a problem like any other.
_TOLD: Final = (Invalid, IdentityGone, RateLimited)


class MailSent(Struct):
    """The form for somebody who has no code yet."""

    email: str = ""


class NewPasswordSent(Struct):
    """The form with the code of the mail."""

    code: str = ""
    password: str = ""


@get(PAGE, include_in_schema=False)
async def reset_page() -> Reply:
    """Enter the code of the mail, or have one sent."""
    return _page()


@post(f"{PAGE}/mail", include_in_schema=False)
async def send_mail(request: Asked) -> Reply:
    """Have the mail sent. The page does not show whether there is such an account."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    sent = await read_fields(request, MailSent)
    try:
        await ask_for_mail(exchange, sent.email)
    except _TOLD as error:
        return _page(wrong=error, email=sent.email)
    return _page("If the address belongs to an account, a mail with a code is on its way to it.")


@post(PAGE, include_in_schema=False)
async def reset(request: Asked) -> Reply:
    """Set the password anew, and sign in."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    sent = await read_fields(request, NewPasswordSent)
    try:
        learner_id = await set_anew(exchange, sent.code.strip(), sent.password)
        await open_session(exchange, learner_id)
    except _TOLD as error:
        return _page(wrong=error)
    body = "<h1>Your password is set</h1>\n<p>You are signed in here; wherever else you were, you are signed out.</p>"
    return html_reply("Your password is set", f'{body}\n<p><a href="/">Go on</a></p>')


def _page(said: str = "", *, wrong: HeadwayError | None = None, email: str = "") -> Reply:
    status, told, described = 200, f'<p role="status">{escape(said)}</p>\n' if said else "", ""
    if wrong is not None:
        status = problem_of(wrong).status
        sentence = wrong.detail[:1].upper() + wrong.detail[1:] + "."
        told = f'<p class="wrong" role="alert" id="wrong">{escape(sentence)}</p>\n'
        described = ' aria-invalid="true" aria-describedby="wrong"'
    body = f"""<h1>{_TITLE}</h1>
{told}<form class="card" action="{PAGE}" method="post">
<label for="code">Code from the mail</label>
<input id="code" name="code" required maxlength="200" autocomplete="one-time-code" autocapitalize="none"
 spellcheck="false"{described}>
<label for="password">New password</label>
<input id="password" name="password" type="password" required minlength="8" maxlength="256"
 autocomplete="new-password"{described}>
<div class="choices"><button>Set password</button></div>
</form>
<form class="card" action="{PAGE}/mail" method="post">
<h2>No code yet?</h2>
<label for="email">Email address</label>
<input id="email" name="email" type="email" value="{escape(email[:320])}" required autocomplete="username">
<div class="choices"><button class="plain">Send me a code</button></div>
</form>"""
    return html_reply(_TITLE if wrong is None else f"Not done: {_TITLE}", body, status)


handlers: Final = [reset_page, send_mail, reset]
