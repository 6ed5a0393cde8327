"""Puts the application together: settings in, an ASGI application out."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any, Final

from litestar import Litestar, Router

from headway.http import (
    achievements,
    admin_achievements,
    admin_imports,
    admin_learners,
    admin_upkeep,
    app_pages,
    auth,
    certificate_page,
    certificates,
    confirm_page,
    courses,
    creator_grading,
    creator_reports,
    creator_rosters,
    device,
    device_page,
    docs,
    erasing,
    events,
    exporting,
    health,
    issuer,
    leaderboards,
    merging,
    metrics,
    notifications,
    oidc,
    outlook,
    own_password,
    pauses,
    preferences,
    progress,
    reset_page,
    resetting,
    reviewing,
    sessions,
    share_page,
    sharing,
    steps,
    stream,
    tokens_of_own,
    unsubscribe_page,
    webhooks,
)
from headway.http.board_keeping import keep_boards, keep_cached
from headway.http.delivering import deliver_due
from headway.http.ending import beside
from headway.http.envelope import Envelope
from headway.http.housekeeping import keep_house
from headway.http.logs import configure_logs
from headway.http.mailing import mail_due
from headway.http.problems import EXCEPTION_HANDLERS
from headway.http.services import Services
from headway.http.signals import stop_once
from headway.http.tracing import Tracing, provider_of
from headway.settings import Settings, load_settings

API = "/api/v1"
_OF_COURSES = (
    *courses.handlers,
    *creator_grading.handlers,
    *creator_reports.handlers,
    *creator_rosters.handlers,
    *leaderboards.handlers,
    *outlook.handlers,
)
_TELLING = (*notifications.handlers, *preferences.handlers, *stream.handlers, *webhooks.handlers)
_BESIDE_THE_API = (
    *health.handlers,
    *metrics.handlers,
    *docs.handlers,
    *app_pages.handlers,
    *device_page.handlers,
    *reset_page.handlers,
    *certificate_page.handlers,
    *share_page.handlers,
    *unsubscribe_page.handlers,
    *confirm_page.handlers,
    *issuer.handlers,
)


_READING = (*progress.handlers, *achievements.handlers, *reviewing.handlers, *sharing.handlers)
# What runs in the background as long as the server does.
WORKS: Final = (keep_house, keep_boards, keep_cached, deliver_due, mail_due, Services.see_through)


def _api() -> Router:
    return Router(
        API,
        route_handlers=[
            auth.router,
            Router("/auth", route_handlers=[erasing.erase_me, *own_password.handlers, *sessions.handlers]),
            tokens_of_own.router,
            merging.router,
            device.router,
            oidc.router,
            *events.handlers,
            *steps.handlers,
            *_OF_COURSES,
            *_READING,
            *admin_achievements.handlers,
            *admin_learners.handlers,
            *admin_imports.handlers,
            *admin_upkeep.handlers,
            *pauses.handlers,
            *_TELLING,
            *resetting.handlers,
            *exporting.handlers,
            *certificates.handlers,
        ],
    )


@cache
def all_routes() -> Litestar:
    """The routes to all handlers, the same whatever the settings; made once in a process, since it takes time."""
    return Litestar(
        [_api(), *_BESIDE_THE_API],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


class Application:
    """The server as an ASGI application: the requests, and the tasks that run in the background."""

    def __init__(self, answers: Any, lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]]) -> None:
        self._answers = answers
        self._lives = Litestar(lifespan=[lifespan], openapi_config=None, logging_config=None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or start and stop."""
        app = self._lives if scope["type"] == "lifespan" else self._answers
        await app(scope, receive, send)


def create_app(settings: Settings, routes: Litestar | None = None) -> Application:
    """The application. Its database is opened, and brought up to date, when it starts."""
    services = Services(settings)
    traces = provider_of() if settings.tracing else None

    @asynccontextmanager
    async def serving(_: Litestar) -> AsyncIterator[None]:
        async with (
            services.running(),
            beside(*(work(services) for work in WORKS)),
            services.metrics.noting(services.look),
        ):
            try:
                yield
            finally:
                services.stopping.set()
        if traces is not None:
            await asyncio.to_thread(traces.shutdown)  # sends what it still holds

    answers: Any = Envelope(routes or all_routes(), services, direct={f"{API}/events": events.record_events.fn})
    return Application(answers if traces is None else Tracing(answers, traces), serving)


def from_environment() -> Application:
    """The application that the environment describes: each worker process makes its own."""
    settings = load_settings()
    configure_logs(settings.log_level)
    app = create_app(settings)
    stop_once()
    _spare_the_collector()
    return app


def _spare_the_collector() -> None:
    """Freeze what is loaded, and collect rarely: a batch makes thousands of small objects, hardly any in a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()  # `headway serve` puts it off while it starts
