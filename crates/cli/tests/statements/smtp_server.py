"""Mail servers of the package aiosmtpd: TLS from the first byte, TLS after a greeting, and one with a certificate
nobody trusts. All ask for a user and a password. Each letter is told on stdout as one line of JSON, taken apart by
Python's own e-mail package."""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "gestor@example.pt", "pá ss:wörd"


class Letters:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        attached = list(letter.iter_attachments())
        tell(
            {
                "letter": {
                    "envelope_to": envelope.rcpt_tos,
                    "from": str(letter["from"]),
                    "to": str(letter["to"]),
                    "subject": str(letter["subject"]),
                    "text": letter.get_body(("plain",)).get_content(),
                    "files": [
                        {
                            "name": one.get_filename(),
                            "type": one.get_content_type(),
                            "is_pdf": one.get_content().startswith(b"%PDF-"),
                        }
                        for one in attached
                    ],
                }
            }
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
    return AuthResult(success=known, handled=False)


def tell(value):
    print(json.dumps(value), flush=True)


async def main(certificate, key, strange_certificate, strange_key):
    def context(*files):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*files)
        return made

    def smtp(**more):
        return SMTP(Letters(), auth_required=True, authenticator=authenticate, loop=loop, hostname="localhost", **more)

    loop = asyncio.get_running_loop()
    trusted, strange = context(certificate, key), context(strange_certificate, strange_key)
    servers = {
        "tls": await loop.create_server(lambda: smtp(auth_require_tls=False), "127.0.0.1", 0, ssl=trusted),
        "starttls": await loop.create_server(
            lambda: smtp(tls_context=trusted, require_starttls=True), "127.0.0.1", 0
        ),
        "strange": await loop.create_server(lambda: smtp(auth_require_tls=False), "127.0.0.1", 0, ssl=strange),
    }
    tell({"ports": {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}})
    # Ends with the test, which closes our standard input.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
