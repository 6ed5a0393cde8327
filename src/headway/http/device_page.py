"""The page on which people let a terminal or an editor sign in: `/device`. It works without a script."""

from html import escape
from typing import Final, NamedTuple
from urllib.parse import urlencode

from litestar import get, post
from litestar.params import FromQuery
from msgspec import Struct

from headway.domain.errors import HeadwayError, IdentityGone
from headway.http import who
from headway.http.auth import SignIn, sign_in
from headway.http.bodies import read_fields
from headway.http.device import PAGE, decide, look_up, shown
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.oidc import providers
from headway.http.pages import html_reply
from headway.http.problems import problem_of
from headway.http.refusals import Forbidden, Unauthorized
from headway.http.reply import Reply
from headway.http.who import Reader
from headway.ledger.accounts import WrongCredentials
from headway.ledger.devices import UnknownUserCode, WaitingDevice
from headway.ledger.throttles import RateLimited
from headway.ledger.tokens import TooManyTokens

_CODE_MAX: Final = 20
_CLIENT_SHOWN: Final = 60
_TITLE: Final = "Sign in a device"
# Errors that people can do something about are told on the page; everything else is a problem like any other.
_TOLD: Final = (UnknownUserCode, RateLimited, TooManyTokens)
_MAY: Final = {"read": "read your progress", "write": "record what you do, as you"}


class SignInSent(Struct):
    """The form for somebody who is not signed in."""

    email: str = ""
    password: str = ""
    user_code: str = ""


class CodeSent(Struct):
    """The form for the code."""

    user_code: str = ""


class DecisionSent(Struct):
    """The form that lets a device in, or refuses it."""

    user_code: str
    approve: bool


class _Wrong(NamedTuple):
    """What went wrong, as the page tells it."""

    status: int
    said: str


_FINE: Final = _Wrong(200, "")


@get(PAGE, include_in_schema=False)
async def device_page(request: Asked, user_code: FromQuery[str] = "") -> Reply:
    """Show the form to sign in, or the one to enter the code."""
    exchange = exchange_of(request)
    reader = await who.caller(request)
    code = _tidy(user_code)
    if not _is_signed_in(reader):
        return _sign_in_page(exchange, SignInSent(user_code=code))
    # The code is not looked up yet: links with made-up codes, sent by others, would use up the person's tries.
    return _code_page(reader, code)


@post(f"{PAGE}/code", include_in_schema=False)
async def enter_code(request: Asked) -> Reply:
    """Find the device that shows the code, to let it in or refuse it."""
    exchange = exchange_of(request)
    who.check_same_origin(exchange)
    reader = await who.caller(request)
    code = _tidy((await read_fields(request, CodeSent)).user_code)
    if not _is_signed_in(reader) or reader.row is None:
        return _sent_on(code)
    try:
        asked = await look_up(exchange, reader.row["id"], code)
    except _TOLD as error:
        return _code_page(reader, code, _wrong(error))
    return _confirm_page(reader, code, asked)


@post(f"{PAGE}/sign-in", include_in_schema=False)
async def sign_in_for_device(request: Asked) -> Reply:
    """Sign in on the page, and go on to the code."""
    exchange = exchange_of(request)
    # Even without a cookie: another site could sign somebody in to an account of its own.
    who.check_same_origin(exchange)
    sent = await read_fields(request, SignInSent)
    try:
        await sign_in(exchange, SignIn(sent.email, sent.password))
    except (WrongCredentials, RateLimited) as error:
        return _sign_in_page(exchange, sent, _wrong(error))
    return _sent_on(sent.user_code)


@post(PAGE, include_in_schema=False)
async def decide_on_device(request: Asked) -> Reply:
    """Let the device in, or refuse it."""
    exchange = exchange_of(request)
    who.check_same_origin(exchange)
    sent = await read_fields(request, DecisionSent)
    try:
        session = await who.account_writing(request)
        asked = await decide(exchange, session, sent.user_code, approve=sent.approve)
    except (Unauthorized, Forbidden, IdentityGone):
        return _sent_on(sent.user_code)
    except _TOLD as error:
        wrong = _wrong(error)
        return _page("This did not work", f"{_alert(wrong)}<p>{_again()}</p>", wrong.status)
    return _done_page(asked, approved=sent.approve)


def _is_signed_in(reader: Reader) -> bool:
    # The page is for people: a personal token does not count as signed in.
    return reader.kind == "account" and reader.scopes is None


def _sent_on(user_code: str) -> Reply:
    return Reply(
        status=303, headers=((b"location", _address(user_code).encode("ascii")), (b"cache-control", b"no-store"))
    )


def _address(user_code: str) -> str:
    code = _tidy(user_code)
    return f"{PAGE}?{urlencode({'user_code': code})}" if code else PAGE


def _tidy(user_code: str) -> str:
    return user_code.strip()[:_CODE_MAX]


def _wrong(error: HeadwayError) -> _Wrong:
    problem = problem_of(error)
    return _Wrong(problem.status, error.detail[:1].upper() + error.detail[1:] + ".")


def _alert(wrong: _Wrong) -> str:
    return f'<p class="wrong" role="alert" id="wrong">{escape(wrong.said)}</p>' if wrong.said else ""


def _described(wrong: _Wrong) -> str:
    return ' aria-invalid="true" aria-describedby="wrong"' if wrong.said else ""


def _again() -> str:
    return f'<a href="{PAGE}">Enter a code again</a>'


def _page(heading: str, body: str, status: int = 200) -> Reply:
    title = _TITLE if status == 200 else f"Not done: {_TITLE}"
    return html_reply(title, f"<h1>{escape(heading)}</h1>\n{body}", status)


def _as_whom(reader: Reader) -> str:
    row = reader.row
    name = "" if row is None else row["email"] or row["display_name"] or "your account"
    return f"<p>You are signed in as <b>{escape(name)}</b>.</p>"


def _code_page(reader: Reader, code: str, wrong: _Wrong = _FINE) -> Reply:
    body = f"""<p>Your terminal or editor shows a code. Enter it here to let it in.</p>
{_alert(wrong)}<form class="card" action="{PAGE}/code" method="post">
<label for="code">Code</label>
<input class="code" id="code" name="user_code" value="{escape(code)}" required maxlength="{_CODE_MAX}" autofocus
 autocomplete="off" autocapitalize="characters" spellcheck="false" placeholder="XXXX-XXXX"{_described(wrong)}>
<div class="choices"><button>Continue</button></div>
</form>
{_as_whom(reader)}"""
    return _page(_TITLE, body, wrong.status)


def _confirm_page(reader: Reader, code: str, asked: WaitingDevice) -> Reply:
    known = shown("".join(one for one in code.upper() if one.isalpha()))
    may = "".join(f"<li>{_MAY[scope]}</li>" for scope in asked.scopes.split())
    body = f"""{_as_whom(reader)}
<form class="card" action="{PAGE}" method="post">
<h2>{escape(_called(asked))}</h2>
<p>wants to be let in. Does it show this code?</p>
<p class="code">{escape(known)}</p>
<p>It could then</p>
<ul>{may}</ul>
<p class="hint">Allow it only if you began this yourself, just now. Whoever sent you here could use it as you.</p>
<input type="hidden" name="user_code" value="{escape(code)}">
<div class="choices">
<button name="approve" value="true">Allow</button>
<button class="plain" name="approve" value="false">Refuse</button>
</div>
</form>"""
    return _page("Let this device in?", body)


def _called(asked: WaitingDevice) -> str:
    # The device chose its name itself: a long one would push the warning out of sight.
    return asked.client if len(asked.client) <= _CLIENT_SHOWN else asked.client[: _CLIENT_SHOWN - 1] + "\u2026"


def _done_page(asked: WaitingDevice, *, approved: bool) -> Reply:
    client = f"<b>{escape(_called(asked))}</b>"
    if approved:
        return _page("The device is let in", f"<p>{client} goes on by itself. You can close this page.</p>")
    return _page("The device is refused", f"<p>{client} was not let in. You can close this page.</p>")


def _sign_in_page(exchange: Exchange, sent: SignInSent, wrong: _Wrong = _FINE) -> Reply:
    code = _tidy(sent.user_code)
    back = urlencode({"return_to": _address(code)})
    links = "".join(
        f'<a class="button plain" href="{one.url}?{escape(back)}">Sign in with {escape(one.title)}</a>'
        for one in providers(exchange)
    )
    email_at, password_at = (" autofocus", "") if not wrong.said else ("", " autofocus")
    body = f"""<p>Sign in first; then you let the device in that shows the code.</p>
{_alert(wrong)}<form class="card" action="{PAGE}/sign-in" method="post">
<label for="email">Email address</label>
<input id="email" name="email" type="email" value="{escape(sent.email[:320])}" required autocomplete="username"\
{email_at}{_described(wrong)}>
<label for="password">Password</label>
<input id="password" name="password" type="password" required autocomplete="current-password"\
{password_at}{_described(wrong)}>
<input type="hidden" name="user_code" value="{escape(code)}">
<div class="choices"><button>Sign in</button></div>
<p class="hint"><a href="/reset-password">Forgot your password?</a></p>
</form>
{f'<div class="choices">{links}</div>' if links else ""}"""
    return _page(_TITLE, body, wrong.status)


handlers: Final = [device_page, enter_code, sign_in_for_device, decide_on_device]
