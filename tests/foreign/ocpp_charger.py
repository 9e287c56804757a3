"""A charger that nobody here wrote: the `ocpp` package from PyPI, which checks every message against the
standard's schemas in both directions.

Usage: ocpp_charger.py URL ID [AUTHORITY [CERTIFICATE KEY]]
A user and a password stand in the URL. AUTHORITY, CERTIFICATE and KEY are PEM files: whom to trust, and what to prove itself with.
Commands come as JSON lines on stdin: {"call": "Authorize", "payload": {"id_tag": "04A1B2C3"}}.
What happens goes as JSON lines to stdout: {"answer": "Authorize", "payload": {...}} for answers,
{"asked": "SetChargingProfile", "payload": {...}} for what the central system wants (always accepted),
{"failed": "...", "error": "..."} for what the package refuses.
"""

import asyncio
import dataclasses
import json
import ssl
import sys

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result

ACCEPTED = {
    "CancelReservation": {"status": "Accepted"},
    "ChangeAvailability": {"status": "Accepted"},
    "ChangeConfiguration": {"status": "Accepted"},
    "ClearCache": {"status": "Accepted"},
    "ClearChargingProfile": {"status": "Accepted"},
    "DataTransfer": {"status": "Accepted"},
    "GetConfiguration": {
        "configuration_key": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
        "unknown_key": [],
    },
    "RemoteStartTransaction": {"status": "Accepted"},
    "RemoteStopTransaction": {"status": "Accepted"},
    "Reset": {"status": "Accepted"},
    "SetChargingProfile": {"status": "Accepted"},
    "TriggerMessage": {"status": "Accepted"},
    "UnlockConnector": {"status": "Unlocked"},
}


def tell(**event):
    """One event as a line."""
    print(json.dumps(event, default=str), flush=True)


def plain(value):
    """Dataclasses and what they hold as JSON can carry it."""
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


class Charger(ChargePoint):
    """Accepts whatever it is asked and tells about it."""


def handler(action, answer):
    """A handler of one operation."""

    def handle(_self, **payload):
        tell(asked=action, payload=payload)
        return getattr(call_result, action)(**answer)

    # The package finds handlers by the names of their functions.
    handle.__name__ = "on_" + action
    return on(action)(handle)


for name, reply in ACCEPTED.items():
    setattr(Charger, "on_" + name, handler(name, reply))


async def obey(charger, name, payload):
    """Sends one request and tells the answer."""
    try:
        answer = await charger.call(getattr(call, name)(**payload), suppress=False)
        tell(answer=name, payload=plain(answer))
    except Exception as error:  # everything the package refuses is a finding for the test
        tell(failed=name, error=repr(error))


async def commands(charger):
    """Requests from stdin, in order."""
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        await obey(charger, command["call"], command["payload"])


def trust(files):
    """How to shake hands: whom to trust, and what to show; nothing without TLS."""
    if not files:
        return {}
    context = ssl.create_default_context(cafile=files[0])
    if len(files) > 1:
        context.load_cert_chain(files[1], files[2])
    return {"ssl": context}


async def main(url, identity, *files):
    """Connects and runs until stdin ends or the link drops."""
    async with websockets.connect(url, subprotocols=["ocpp1.6"], **trust(files)) as socket:
        tell(connected=socket.subprotocol)
        charger = Charger(identity, socket)
        running = [asyncio.create_task(charger.start()), asyncio.create_task(commands(charger))]
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.exception():
                tell(failed="connection", error=repr(task.exception()))


asyncio.run(main(*sys.argv[1:]))
