"""What can go wrong for a client. Each error says in its message what to do."""


class ClientError(Exception):
    """The root of the client's errors; `code` is stable, `detail` is a sentence."""

    code = "client"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EventInvalid(ClientError):
    """The event does not fit; nothing was saved."""

    code = "invalid-event"


class AddressInvalid(ClientError):
    """What was given is not the address of a server."""

    code = "invalid-address"


class NotSaved(ClientError):
    """This device could not keep what it was given: its disk is full, or the outbox cannot be written."""

    code = "not-saved"


class Unreachable(ClientError):
    """No answer came from a Headway server; a captive portal's page, as in a hotel, does not count as one."""

    code = "unreachable"


class Unanswered(Unreachable):
    """No Headway server was reached: the connection failed or was closed, or something else answered."""

    code = "unanswered"


class AskLater(Unreachable):
    """The server asks to be left alone for `retry_after_s` seconds."""

    code = "ask-later"

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class SignInNeeded(ClientError):
    """The server does not know this token any more, or it may not do this: sign in again."""

    code = "sign-in-needed"


class TokenUnknown(SignInNeeded):
    """The server does not know this token, or not any more."""


class Refused(ClientError):
    """The server understood the request and refused it; `slug` is the last part of the problem's type."""

    code = "refused"

    def __init__(self, detail: str, status: int, slug: str) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
