"""Pages for signing in by another provider: one asks whether to go on, the other says why it failed."""

from html import escape

from headway.http.pages import html_reply
from headway.http.reply import Reply


def asking_page(title: str, there: str) -> Reply:
    """The page that asks whether to sign in, after a link on another site; it goes on to `there`."""
    # A link, not a form: browsers apply the policy's form-action to the redirect after a form as well.
    body = f"""<h1>Sign in with {escape(title)}?</h1>
<p>Another site sent you here. If you go on, you are signed in as {escape(title)} knows you, and nobody else is
in this browser any more.</p>
<div class="choices"><a class="button" href="{escape(there)}">Sign in with {escape(title)}</a>
<a class="button plain" href="/">Do not sign in</a></div>"""
    return html_reply("Sign in?", body)


def refusal_page(status: int, title: str, detail: str) -> Reply:
    """The page that says why the sign-in failed."""
    said = escape(detail[:1].upper() + detail[1:])
    body = f"""<h1>You are not signed in</h1>
<p class="wrong" role="alert">{said}.</p>
<p><a href="/">Back to Headway</a></p>"""
    return html_reply(title, body, status)
