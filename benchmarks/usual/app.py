"""The opponent's HTTP: a session and a lookup of the token for each request, one commit at its end."""

import hashlib
import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.usual.database import open_engine
from benchmarks.usual.models import Learner, Model, Token
from benchmarks.usual.recording import Marks, record_events
from benchmarks.usual.schemas import EventsIn, EventsOut, GuestOut

router = APIRouter(prefix="/api/v1")


Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def _sessions(request: Request) -> "sessionmaker[Session]":
    made: sessionmaker[Session] = request.app.state.sessions
    return made


# A session made by a dependency would be held from one turn in the pool of threads to the next: with more requests
# than threads, those that wait for its lock take every thread, and the one that holds it gets none to go on with.
Sessions = Annotated["sessionmaker[Session]", Depends(_sessions)]


@router.post("/auth/guest", status_code=201)
def make_guest(sessions: Sessions) -> GuestOut:
    """A guest, and the token to write with."""
    token = secrets.token_urlsafe(32)
    learner = Learner(id=uuid4(), created_at=datetime.now(UTC))
    with sessions.begin() as session:
        session.add(learner)
        session.flush()
        session.add(Token(digest=_digest(token), learner_id=learner.id))
    return GuestOut(learner=learner.id, token=token)


@router.post("/events")
def post_events(request: Request, sessions: Sessions, bearer: Bearer, body: EventsIn) -> EventsOut:
    """Record events; the reply means that they are committed."""
    with sessions.begin() as session:
        learner_id = _lock_writer(session, bearer.credentials)
        return record_events(session, learner_id, body.events, request.app.state.marks)


def _lock_writer(session: Session, token: str) -> UUID:
    """The learner whose token this is, locked: two requests of one learner take turns."""
    owner = select(Token.learner_id).where(Token.digest == _digest(token)).scalar_subquery()
    learner = session.scalar(select(Learner).where(Learner.id == owner).with_for_update())
    if learner is None:
        raise HTTPException(401, "no such token")
    return learner.id


def create_app() -> FastAPI:
    """The application, on the database and the course that the environment names."""
    engine = open_engine(os.environ["USUAL_DATABASE_URL"])
    Model.metadata.create_all(engine)
    app = FastAPI()
    app.state.sessions = sessionmaker(engine, expire_on_commit=False)
    app.state.marks = _marks(Path(os.environ["USUAL_COURSE"]))
    app.include_router(router)
    app.add_api_route("/health/ready", lambda: {"status": "ready"})
    return app


def _marks(manifest: Path) -> Marks:
    """Every step's pass mark, held in memory: the opponent asks the database for no course."""
    course = json.loads(manifest.read_text())
    steps = [step for module in course["modules"] for step in module["steps"]]
    return {(course["id"], step["id"]): step.get("pass_mark", 70) / 100 for step in steps}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
