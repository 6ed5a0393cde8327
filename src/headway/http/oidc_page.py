"""What somebody reads whose sign-in by another provider came to nothing."""

from html import escape

from headway.http.pages import html_reply
from headway.http.reply import Reply


def refusal_page(status: int, title: str, detail: str) -> Reply:
    """The page that tells why."""
    said = escape(detail[:1].upper() + detail[1:])
    body = f"""<h1>You are not signed in</h1>
<p class="wrong" role="alert">{said}.</p>
<p><a href="/">Back to Headway</a></p>"""
    return html_reply(title, body, status)
