"""Preferences: which notifications reach a learner by which channel."""

from functools import partial
from typing import Final

import msgspec
from litestar import get, patch
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.engine import Connection

from headway.domain.preferences import KINDS, MAILED, Preference
from headway.http import etags, who
from headway.http.bodies import read_json
from headway.http.confirm_page import mail_link, next_link
from headway.http.exchange import Asked, exchange_of
from headway.http.mailing import why_no_mails
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.services import Services
from headway.http.who import Reader
from headway.ledger.confirming import Link, link_of, not_mailed
from headway.ledger.preferences import PreferencesWanted, Wish, choose
from headway.settings import Settings
from headway.store import confirmed, learners, preferences

_NO_ADDRESS: Final = "only accounts with an e-mail address get e-mail"


class KindPreference(Struct):
    """The channels by which a kind of notification reaches the learner; `email` is null for kinds without e-mail.

    `types` are the types of changes that belong to the kind.
    """

    kind: str
    types: list[str]
    in_app: bool
    stream: bool
    email: bool | None


class NotificationPreferences(Struct):
    """What a learner chose for each kind, or the default where they did not.

    E-mail goes to `email_address`, once it is confirmed: `email_confirmed`. `no_email` says why none can be sent,
    whatever was chosen, and is null where it can. `confirmation` is the state of the link that confirms the address:
    `none` was mailed lately, or the mail server did not take it; `mailed`, or on its way; `used-up`: three were mailed,
    and no more is for now. It is null where there is nothing to confirm.
    """

    kinds: list[KindPreference]
    email_address: str | None
    email_confirmed: bool
    no_email: str | None
    confirmation: Link | None


class ChannelsAsked(Struct, forbid_unknown_fields=True):
    """The wanted channels of a kind that is not mailed; what is left out stays as it is."""

    in_app: bool | UnsetType = UNSET
    stream: bool | UnsetType = UNSET


class MailedChannelsAsked(ChannelsAsked):
    """The wanted channels of a kind that can be mailed."""

    email: bool | UnsetType = UNSET


class PreferencesAsked(Struct, forbid_unknown_fields=True):
    """The wanted channels by kind; what is left out stays as it is."""

    streak: MailedChannelsAsked | UnsetType = UNSET
    weekly_summary: MailedChannelsAsked | UnsetType = UNSET
    certificates: MailedChannelsAsked | UnsetType = UNSET
    grades: MailedChannelsAsked | UnsetType = UNSET
    achievements: ChannelsAsked | UnsetType = UNSET
    courses: ChannelsAsked | UnsetType = UNSET


_asked: Final = msgspec.json.Decoder(PreferencesAsked).decode


@get("/notifications/preferences")
async def read_preferences(request: Asked) -> Reply:
    """Which notifications reach the caller by which channel."""
    settings = exchange_of(request).services.settings

    def look(connection: Connection, reader: Reader) -> NotificationPreferences:
        return _shown(connection, None if reader.row is None else reader.row["id"], settings)

    return etags.personal(request, await who.read_as_caller(request, look))


@patch("/notifications/preferences")
async def choose_preferences(request: Asked) -> Reply:
    """Choose the channels by which kinds of notifications come from now on; what is left out stays as it is.

    A learner who asks for e-mail to an address that is not confirmed is mailed a link that confirms it, at most three
    times in 30 days; nothing else is mailed until it is opened.
    """
    exchange = exchange_of(request)
    session = await who.learner_writing(request)
    sent = await read_json(request, _asked)
    services = exchange.services
    no_mail = why_no_mails(services.settings)
    asked = PreferencesWanted(session.learner_id, session.token_hash, _wishes(sent), no_mail)
    with who.ending_with(exchange):
        await services.run(partial(choose, services.database, asked, now=who.now()))
    if no_mail is None and any(one.email for one in asked.wishes.values()):
        await _have_confirmed(services, session.learner_id)
    shown = await services.read(lambda connection: _shown(connection, session.learner_id, services.settings))
    return json_reply(shown, 200, (PERSONAL,))


async def _have_confirmed(services: Services, learner_id: str) -> None:
    """Have the link mailed that confirms the address, if one is due, without waiting for the mail server."""
    link = await services.run(partial(next_link, services, learner_id))
    if link is not None and not services.afterwards(partial(mail_link, services, link)):
        await services.run(partial(not_mailed, services.database, link))


def _wishes(sent: PreferencesAsked) -> dict[str, Wish]:
    asked = {kind: getattr(sent, kind) for kind in KINDS}
    return {
        kind: Wish(*(_or_none(getattr(one, name, UNSET)) for name in Wish._fields))
        for kind, one in asked.items()
        if one is not UNSET
    }


def _or_none(value: bool | UnsetType) -> bool | None:
    return None if value is UNSET else value


def _shown(connection: Connection, learner_id: str | None, settings: Settings) -> NotificationPreferences:
    row = None if learner_id is None else learners.by_id(connection, learner_id)
    chosen = {} if row is None else preferences.of_learner(connection, row["id"])
    is_confirmed = row is not None and confirmed.is_confirmed(connection, row["id"])
    address = None if row is None else row["email"] or None
    kinds = [_kind(kind, chosen.get(kind, Preference("", kind))) for kind in KINDS]
    no_email = why_no_mails(settings) or (None if address else _NO_ADDRESS)
    is_open = no_email is None and not is_confirmed
    link = None
    if address and is_open:
        link = link_of(connection, address, now=who.now(), is_limited=settings.rate_limits)
    return NotificationPreferences(kinds, address, is_confirmed, no_email, link)


def _kind(kind: str, one: Preference) -> KindPreference:
    email = one.mailed_since is not None if kind in MAILED else None
    return KindPreference(kind, sorted(KINDS[kind]), one.in_app, one.stream, email)


handlers: Final = [read_preferences, choose_preferences]
