"""What somebody reads who signs in by another provider: whether they meant to, and why it came to nothing."""

from html import escape

from headway.http.pages import html_reply
from headway.http.reply import Reply


def asking_page(title: str, there: str) -> Reply:
    """The page that asks whether to sign in, for a link of another site led to it; it goes on to `there`."""
    # A link and no form: browsers hold the redirect that follows a form to the policy's form-action as well.
    body = f"""<h1>Sign in with {escape(title)}?</h1>
<p>Another site sent you here. If you go on, you are signed in as {escape(title)} knows you, and nobody else is
in this browser any more.</p>
<div class="choices"><a class="button" href="{escape(there)}">Sign in with {escape(title)}</a>
<a class="button plain" href="/">Do not sign in</a></div>"""
    return html_reply("Sign in?", body)


def refusal_page(status: int, title: str, detail: str) -> Reply:
    """The page that tells why."""
    said = escape(detail[:1].upper() + detail[1:])
    body = f"""<h1>You are not signed in</h1>
<p class="wrong" role="alert">{said}.</p>
<p><a href="/">Back to Headway</a></p>"""
    return html_reply(title, body, status)
