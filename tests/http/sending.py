"""Sending to webhooks as tests do it: by a clock of their own, to this machine."""

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.times import MINUTE
from headway.http import delivering, who
from headway.http.outward import Outward
from headway.http.services import Services
from headway.ledger.delivering import take
from headway.settings import Settings
from headway.store.webhook_tables import webhook, webhook_due
from tests.http.server import Site
from tests.http.test_events import event

OWN = "127.0.0.0/8"
DONE = ["step_completed", "streak_extended", "step_completed", "step_completed", "module_completed", "course_completed"]


class Still:
    """Sends what is due when it is told to, by its own clock."""

    def __init__(self, site: Site) -> None:
        self.site = site
        url = site.database.url.render_as_string(hide_password=False)
        self.services = Services(Settings(database_url=url, webhook_networks=OWN))
        self.outward = Outward(OWN)
        self.now = who.now() + MINUTE

    def pump(self, after: int = 0) -> int:
        """Send what is due after some more time, and what is due behind it; how much was tried."""
        self.now += after
        tried = 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(who, "now", lambda: self.now)
            while found := take(self.services.database, 10, now=self.now):
                for message in found:
                    delivering.deliver(self.services, self.outward, message)
                    tried += 1
        return tried

    def hook(self, url: str, **asked: Any) -> str:
        """An admin's endpoint, to whatever address."""
        admin = self.site.person("root@example.org", "admin")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Outward, "look", lambda *_: None)
            made = admin.post("/webhooks", json={"url": url, **asked})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def row(self, hook: str) -> dict[str, Any]:
        with self.site.database.read() as connection:
            return dict(connection.execute(sa.select(webhook).where(webhook.c.id == hook)).mappings().one())

    def due(self) -> int:
        with self.site.database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(webhook_due)).scalar_one()


def complete(client: Any, *steps: str) -> str:
    """Complete steps; whose they are."""
    sent = [event(step=one, response="a") if one == "quiz" else event(step=one, type="completed") for one in steps]
    assert client.post("/events", json={"events": sent}).status_code == 200
    return str(client.get("/auth/me").json()["learner"]["id"])


def is_signed(secret: str, one: Any) -> bool:
    """Whether a message is signed as Standard Webhooks has it, written here a second time."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = b".".join([one.id.encode(), one.headers["webhook-timestamp"].encode(), one.body])
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    is_recent = abs(int(one.headers["webhook-timestamp"]) - time.time()) < 300
    return is_recent and wanted in [part.split(",")[1] for part in one.headers["webhook-signature"].split()]
