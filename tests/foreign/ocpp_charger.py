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
    "CertificateSigned": {"status": "Accepted"},
    "ClearCache": {"status": "Accepted"},
    "ClearChargingProfile": {"status": "Accepted"},
    "DataTransfer": {"status": "Accepted"},
    "DeleteCertificate": {"status": "Accepted"},
    "ExtendedTriggerMessage": {"status": "Accepted"},
    "GetCompositeSchedule": {
        "status": "Accepted",
        "connector_id": 1,
        "schedule_start": "2026-01-01T00:00:00Z",
        "charging_schedule": {
            "charging_rate_unit": "A",
            "charging_schedule_period": [{"start_period": 0, "limit": 10.0}],
        },
    },
    "GetConfiguration": {
        "configuration_key": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}],
        "unknown_key": [],
    },
    "GetDiagnostics": {"file_name": "diagnostics.zip"},
    "GetInstalledCertificateIds": {
        "status": "Accepted",
        "certificate_hash_data": [
            {"hash_algorithm": "SHA256", "issuer_name_hash": "0a", "issuer_key_hash": "0b", "serial_number": "01"}
        ],
    },
    "GetLog": {"status": "Accepted", "filename": "log.zip"},
    "InstallCertificate": {"status": "Accepted"},
    "RemoteStartTransaction": {"status": "Accepted"},
    "ReserveNow": {"status": "Accepted"},
    "RemoteStopTransaction": {"status": "Accepted"},
    "Reset": {"status": "Accepted"},
    "SetChargingProfile": {"status": "Accepted"},
    "SignedUpdateFirmware": {"status": "Accepted"},
    "TriggerMessage": {"status": "Accepted"},
    "UnlockConnector": {"status": "Unlocked"},
    "UpdateFirmware": {},
}

# The list of cards it keeps, with its version; as the standard says, it starts with none.
CARDS = {"version": 0, "cards": {}}


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


@on("GetLocalListVersion")
def on_get_local_list_version(_self):
    """Tells the version of its list."""
    tell(asked="GetLocalListVersion", payload={})
    return call_result.GetLocalListVersion(list_version=CARDS["version"])


@on("SendLocalList")
def on_send_local_list(_self, list_version, update_type, local_authorization_list=()):
    """Keeps a list, whole or changed; refuses changes that do not follow its version."""
    if update_type == "Differential" and list_version <= CARDS["version"]:
        return call_result.SendLocalList(status="VersionMismatch")
    if update_type == "Full":
        CARDS["cards"] = {}
    for entry in local_authorization_list:
        info = entry.get("id_tag_info")
        if info is None:
            CARDS["cards"].pop(entry["id_tag"], None)
        else:
            CARDS["cards"][entry["id_tag"]] = info["status"]
    CARDS["version"] = list_version
    tell(asked="SendLocalList", payload={"type": update_type, "version": list_version, "cards": CARDS["cards"]})
    return call_result.SendLocalList(status="Accepted")


Charger.on_get_local_list_version = on_get_local_list_version
Charger.on_send_local_list = on_send_local_list


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
