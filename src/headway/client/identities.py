"""The identities known on this device: each event is made under one of them.

It is sent as that identity, or as the account that the identity was moved into, and never as another, whoever uses this
device meanwhile.
"""

from collections.abc import Sequence
from sqlite3 import Connection, Row
from typing import Final, NamedTuple

GUEST: Final = "guest"
ACCOUNT: Final = "account"
UNKNOWN: Final = "unknown"
# What is below this path is the same for everybody who asks a server: its courses and their contents.
PUBLIC: Final = "/courses"
GUEST_GONE: Final = (
    "the server does not know the guest of this device any more: `headway login` takes what waits here into your"
    " account, `headway logout` begins anew as another guest"
)
UNHEARD: Final = (
    "the server does not know the token that this was made with: mend that, or `headway outbox adopt` sends it as"
    " whoever you are"
)


class Identity(NamedTuple):
    """An identity on a server; `into_id` is the account that a guest is to be moved into, `moved` says that it was."""

    id: int
    server: str
    kind: str
    learner: str | None
    name: str | None
    token: str | None
    digest: str | None
    into_id: int | None
    moved: bool
    trouble: str | None


class Bearer(NamedTuple):
    """Who reads or writes: the owner of `token`, or, where that is None, whoever is signed in on this device."""

    server: str
    token: str | None


def current(connection: Connection, bearer: Bearer) -> Identity:
    """The identity that a bearer acts as; one not known before is stored, as a guest if nobody is signed in."""
    found = known(connection, bearer)
    if found is not None:
        return found
    if bearer.token is not None:
        return _added(connection, bearer.server, UNKNOWN, digest=digest_of(bearer.token))
    guest = _added(connection, bearer.server, GUEST)
    make_current(connection, guest)
    return guest


def known(connection: Connection, bearer: Bearer) -> Identity | None:
    """The identity that a bearer acts as, if it is stored already."""
    if bearer.token is not None:
        return _one(connection, "server = ? AND digest = ?", (bearer.server, digest_of(bearer.token)))
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (f"current {bearer.server}",)).fetchone()
    return None if row is None else by_id(connection, int(row["value"]))


def make_current(connection: Connection, identity: Identity) -> None:
    """Make this identity the one that is signed in on this device."""
    said = (f"current {identity.server}", str(identity.id))
    connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", said)


def named_server(connection: Connection) -> str | None:
    """This device's default server, for commands that name none."""
    row = connection.execute("SELECT value FROM setting WHERE name = 'server'").fetchone()
    return None if row is None else str(row["value"])


def name_server(connection: Connection, url: str) -> None:
    """Make this server the device's default."""
    connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES ('server', ?)", (url,))


def leave_token(connection: Connection, server: str, token: str) -> None:
    """Keep an account's token that was given on this device, until the server has said whose it is."""
    connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (f"left {server}", token))


def token_left(connection: Connection, server: str) -> str | None:
    """The token that `leave_token` kept, if any."""
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (f"left {server}",)).fetchone()
    return None if row is None else str(row["value"])


def drop_left(connection: Connection, server: str) -> None:
    """Forget the token that `leave_token` kept."""
    connection.execute("DELETE FROM setting WHERE name = ?", (f"left {server}",))


def forget_current(connection: Connection, server: str) -> Identity | None:
    """Sign out on this device: delete the account's token; what waits stays until the same learner signs in again.

    A guest is not signed out: without the token nobody could ever be that guest again. None if no account was signed
    in.
    """
    drop_left(connection, server)
    found = known(connection, Bearer(server, None))
    if found is None or found.kind == GUEST:
        return None
    connection.execute("DELETE FROM setting WHERE name = ?", (f"current {server}",))
    connection.execute("UPDATE identity SET token = NULL WHERE id = ?", (found.id,))
    connection.execute("DELETE FROM cached WHERE identity_id = ? AND path NOT LIKE ?", (found.id, f"{PUBLIC}%"))
    return found


def is_own_guest(connection: Connection, one: Identity) -> bool:
    """Whether this is the device's own guest, whose token is stored here, and not one whose token a program brought."""
    own = known(connection, Bearer(one.server, None))
    return one.kind == GUEST and one.token is not None and own is not None and own.id == one.id


def begin_anew(connection: Connection, guest: Identity) -> bool:
    """Reset a guest whom the server does not know any more, so that what waits is sent as a new guest.

    False if another program did so first.
    """
    begun = connection.execute(
        "UPDATE identity SET learner = NULL, token = NULL, digest = NULL, trouble = NULL WHERE id = ? AND token = ?",
        (guest.id, guest.token),
    )
    if not begun.rowcount:
        return False
    connection.execute("DELETE FROM cached WHERE identity_id = ? AND path NOT LIKE ?", (guest.id, f"{PUBLIC}%"))
    return True


def all_of(connection: Connection, server: str) -> list[Identity]:
    """All identities on a server."""
    rows = connection.execute("SELECT * FROM identity WHERE server = ? ORDER BY id", (server,))
    return [_identity(row) for row in rows]


def by_id(connection: Connection, identity_id: int) -> Identity | None:
    """The identity of that number."""
    return _one(connection, "id = ?", (identity_id,))


def learned(connection: Connection, identity: Identity, learner: str, kind: str, name: str | None) -> Identity:
    """Note whose an identity is, as the server said; merge it into the identity that this learner already has, if any.

    Returns the identity that is left.
    """
    same = _one(connection, "server = ? AND learner = ?", (identity.server, learner))
    if same is None or same.id == identity.id:
        said = (learner, kind, name, identity.id)
        connection.execute("UPDATE identity SET learner = ?, kind = ?, name = ?, trouble = NULL WHERE id = ?", said)
        return _there(connection, identity.id)
    for table in ("item", "cached"):
        connection.execute(
            f"UPDATE OR REPLACE {table} SET identity_id = ? WHERE identity_id = ?",  # noqa: S608 - one of two tables
            (same.id, identity.id),
        )
    connection.execute("UPDATE identity SET into_id = ? WHERE into_id = ?", (same.id, identity.id))
    current_there = (str(same.id), f"current {identity.server}", str(identity.id))
    connection.execute("UPDATE setting SET value = ? WHERE name = ? AND value = ?", current_there)
    connection.execute("DELETE FROM identity WHERE id = ?", (identity.id,))
    said_now = (identity.digest or same.digest, identity.token or same.token, kind, name, same.id)
    connection.execute(
        "UPDATE identity SET digest = ?, token = ?, kind = ?, name = ?, trouble = NULL WHERE id = ?", said_now
    )
    return _there(connection, same.id)


def signed_in(connection: Connection, server: str, token: str, learner: str, name: str | None) -> Identity:
    """Note that an account signed in on this device; the guest who was here before is to be moved into it."""
    before = known(connection, Bearer(server, None))
    bare = _added(connection, server, ACCOUNT, digest=digest_of(token), token=token)
    account = learned(connection, bare, learner, ACCOUNT, name)
    if before is not None and before.kind == GUEST and before.id != account.id:
        # A guest that was never made on the server needs no move there.
        moved = before.token is None and before.learner is None
        connection.execute(
            "UPDATE identity SET into_id = ?, moved = ? WHERE id = ?", (account.id, int(moved), before.id)
        )
    make_current(connection, account)
    drop_left(connection, server)
    return account


def became_guest(connection: Connection, identity: Identity, learner: str, token: str) -> Identity:
    """Note the learner and the token of the guest that the server made."""
    connection.execute(
        "UPDATE identity SET learner = ?, token = ?, digest = ? WHERE id = ?",
        (learner, token, digest_of(token), identity.id),
    )
    return _there(connection, identity.id)


def was_moved(connection: Connection, guest: Identity) -> None:
    """Note that the server has moved a guest into the account; the guest's token is dead."""
    connection.execute("UPDATE identity SET moved = 1, token = NULL, trouble = NULL WHERE id = ?", (guest.id,))


def note_trouble(connection: Connection, identity_id: int, trouble: str | None) -> None:
    """Note why nothing can be sent as an identity; None where all is well."""
    connection.execute(
        "UPDATE identity SET trouble = ? WHERE id = ? AND trouble IS NOT ?", (trouble, identity_id, trouble)
    )


def sent_as(identities: Sequence[Identity], identity: Identity) -> Identity:
    """The identity that events made under `identity` are sent as: the account that it moves into, or itself."""
    return next((one for one in identities if one.id == identity.into_id), identity)


def digest_of(token: str) -> str:
    """A token's SHA-256 in hexadecimal, by which a token that is not kept is recognized."""
    import hashlib  # noqa: PLC0415  # answers from the cache need none

    return hashlib.sha256(token.encode()).hexdigest()


def _added(
    connection: Connection, server: str, kind: str, *, digest: str | None = None, token: str | None = None
) -> Identity:
    said = (server, kind, digest, token)
    cursor = connection.execute("INSERT INTO identity (server, kind, digest, token) VALUES (?, ?, ?, ?)", said)
    return _there(connection, cursor.lastrowid or 0)


def _there(connection: Connection, identity_id: int) -> Identity:
    found = by_id(connection, identity_id)
    if found is None:
        raise LookupError(identity_id)
    return found


def _one(connection: Connection, condition: str, values: tuple[object, ...]) -> Identity | None:
    row = connection.execute(f"SELECT * FROM identity WHERE {condition}", values).fetchone()  # noqa: S608 - of this file
    return None if row is None else _identity(row)


def _identity(row: Row) -> Identity:
    return Identity(**{**dict(row), "moved": bool(row["moved"])})
