"""`headway api`: any request to the server; what there is to ask for, the server lists."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from headway.cli.given import STDIN, password, text_of
from headway.cli.learner.device import ServerOption, is_own_server, reader_at
from headway.cli.learner.drawing import clean, table
from headway.cli.learner.outlining import lines_of
from headway.cli.output import output
from headway.cli.screen import JsonOption, Misused, say, show, show_json, show_parts

if TYPE_CHECKING:
    from headway.client.asking import Ask
    from headway.client.transport import Stream

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_DOCUMENT: Final = "/api/openapi.json"
_JSON: Final = ("application/json", "application/vc")
_TEXTS: Final = (*_JSON, "text/", "image/svg+xml")
_REFUSED: Final = 400


def api(  # noqa: PLR0913, PLR0917 - the arguments and flags of a command
    first: Annotated[
        str | None, typer.Argument(metavar="METHOD", help="GET where none is named.", show_default=False)
    ] = None,
    second: Annotated[str | None, typer.Argument(metavar="PATH", show_default=False)] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="JSON", help="What to send: JSON, @FILE, or - for standard input."),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write what comes into a file.")
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="EMAIL",
            help="Sign in for this request alone; the password comes from the prompt or the first line of standard"
            " input.",
        ),
    ] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the server for anything: `headway api /progress/streak`. Without a path, show all that can be asked for."""
    if first is None:
        _show_operations(server, as_json=as_json)
        return
    method, path = _asked(first, second)
    body = None if data is None else _body(data, reads_password=email is not None)
    if method == "GET" and body is not None:
        raise Misused("GET sends nothing: leave --data out, or name a method before the path")
    with _way(server, email) as ask, ask(method, path, body) as stream:
        if stream.status >= _REFUSED:
            _refuse(stream, as_json=as_json)
        _pass_on(stream, file, as_json=as_json)


def _asked(first: str, second: str | None) -> tuple[str, str]:
    method, path = ("GET", first) if second is None else (first.upper(), second)
    if method not in METHODS:
        raise Misused(f"name a method ({', '.join(METHODS)}) and a path, or a path alone")
    if path.upper() in METHODS or "://" in path:
        raise Misused("name a path, such as /progress/streak; --server names the server")
    return method, path


def _body(data: str, *, reads_password: bool) -> Any:
    if data == STDIN and reads_password:
        raise Misused("standard input holds the password: give what is to be sent as --data @FILE")
    text = text_of(data.removeprefix("@")) if data == STDIN or data.startswith("@") else data
    try:
        body = json.loads(text)
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()  # as it is sent
    except (ValueError, RecursionError) as error:
        raise Misused(f"--data is no JSON: {error}") from None
    return body


@contextmanager
def _way(server: str | None, email: str | None) -> Iterator["Ask"]:
    """Yield a way to ask: as this device's identity, or as the account of an e-mail address."""
    from headway.client.asking import signed_in_as

    with reader_at(server) as headway:
        if email is None:
            yield headway.ask
        else:
            if not is_own_server(server):
                raise Misused(f"a folder names {headway.url}: say with --server that your password may go there")
            with signed_in_as(headway.url, email, password(f"Password of {email} at {headway.url}")) as ask:
                yield ask


def _refuse(stream: "Stream", *, as_json: bool) -> NoReturn:
    from headway.client.asking import json_of

    told = json_of(stream)
    problem = told if isinstance(told, dict) else {}
    if as_json:
        show_json(told)
    say(f"headway: {clean(problem.get('detail') or problem.get('title') or f'the server answered {stream.status}')}")
    faults = problem.get("errors") or []
    for one in faults if len(faults) > 1 else []:  # one alone is told by the detail
        say(f"  {clean(one.get('message'))}")
    if str(problem.get("type")).endswith("/insufficient-scope"):
        say("  --as EMAIL asks as the account itself, by its password.")
    raise typer.Exit(1)


def _pass_on(stream: "Stream", file: str | None, *, as_json: bool) -> None:
    """Print the answer: JSON as an outline, text as it is; anything else goes only into files and pipes."""
    from headway.client.asking import json_of

    if stream.is_empty:
        return
    if stream.kind in _JSON and file is None and not as_json:
        for line in lines_of(json_of(stream)):
            show(line)
        return
    if file is None and sys.stdout.isatty() and not stream.kind.startswith(_TEXTS):
        raise Misused(
            f"this is {clean(stream.kind or 'something')}, which no terminal shows: name a file with --output"
        )
    if file is None and sys.stdout.isatty():
        show_parts(stream.parts(), is_json=stream.kind in _JSON)
    else:
        _write(stream, file)
    if stream.kind in _JSON and file is None:
        show("")  # the line's end


def _write(stream: "Stream", file: str | None) -> None:
    with output(file or "-") as out:
        for part in stream.parts():
            out.write(part)
            out.flush()  # a stream is to be seen as it comes


def _show_operations(server: str | None, *, as_json: bool) -> None:
    with _way(server, None) as ask, ask("GET", _DOCUMENT, None) as stream:
        operations = _operations(stream)
    if as_json:
        show_json({"items": operations})
        return
    for line in table([(one["method"], one["path"], clean(one["summary"])) for one in operations]):
        show(line)


def _operations(stream: "Stream") -> list[dict[str, str]]:
    from headway.client.asking import BASE, json_of

    return [
        {"method": method.upper(), "path": path.removeprefix(BASE), "summary": operation.get("summary", "")}
        for path, operations in json_of(stream)["paths"].items()
        for method, operation in operations.items()
        if method.upper() in METHODS
    ]
