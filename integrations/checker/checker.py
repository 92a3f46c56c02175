#!/usr/bin/env python3
"""A checker for proofs `using webhook`: the smallest one that is right. Python 3.9, nothing to install.

    python3 checker.py SECRET_FILE PRESENT_FILE [--port 8090] [--at-once]

SECRET_FILE holds the `whsec_...` of `[checkers.NAME]`. PRESENT_FILE holds customer ids, one a line: who is in it has
shown what was asked for. Put your own look into `look`; the rest is the part that has to be right.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.error
import urllib.request

TOLERANCE_SECONDS = 300
MOST_BYTES = 64 * 1024


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer goes to the gate and nowhere else."""

    def redirect_request(self, *_):
        return None


def sign(secret, message_id, timestamp, body):
    """Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`."""
    content = b".".join([message_id.encode(), timestamp.encode(), body])
    return "v1," + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()


def verified(secret, headers, body):
    """Whether the gate sent exactly this, now."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if "." in message_id or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    right = sign(secret, message_id, timestamp, body)
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(right.encode(), one.encode("utf-8", "replace")) for one in given)


def look(question, present):
    """Your own look: true if the customer of this question showed what was asked for."""
    with open(present, encoding="utf-8") as lines:
        return question["customer"] in {line.strip() for line in lines}


class Checker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if not 0 <= length <= MOST_BYTES:
            return self.answer(413)
        body = self.rfile.read(length)
        if not verified(self.server.secret, self.headers, body):
            return self.answer(401)
        question = json.loads(body)
        said = {
            "question": question["question"],
            "result": "proved" if look(question, self.server.present) else "refused",
        }
        if self.server.at_once:
            return self.answer(200, json.dumps(said).encode())
        # The gate repeats a question only under the same id: it is answered once.
        if question["question"] not in self.server.seen:
            self.server.seen.add(question["question"])
            threading.Thread(target=self.later, args=(question, said), daemon=True).start()
        return self.answer(202)

    def later(self, question, said):
        """Posts the answer. One that got no reply is sent again, word for word, until the question runs out."""
        body, message_id = json.dumps(said).encode(), "answer_" + question["question"]
        while time.time() * 1000 < question["until_ms"]:
            timestamp = str(int(time.time()))
            request = urllib.request.Request(
                question["answer_to"],
                data=body,
                headers={
                    "content-type": "application/json",
                    "webhook-id": message_id,
                    "webhook-timestamp": timestamp,
                    "webhook-signature": sign(self.server.secret, message_id, timestamp, body),
                },
            )
            try:
                with urllib.request.build_opener(NoRedirect).open(request, timeout=10):
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code != 429:
                    return  # Refused for good: nothing waits for it any more.
            except OSError:
                pass
            time.sleep(2)

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Questions name customers: they are not logged."""


def main():
    arguments = argparse.ArgumentParser(description="A checker for proofs `using webhook`.")
    arguments.add_argument("secret_file")
    arguments.add_argument("present_file")
    arguments.add_argument("--port", type=int, default=8090)
    arguments.add_argument("--at-once", action="store_true")
    given = arguments.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", given.port), Checker)
    with open(given.secret_file, encoding="ascii") as file:
        server.secret = base64.b64decode(file.read().strip().removeprefix("whsec_"), validate=True)
    server.present, server.at_once, server.seen = given.present_file, given.at_once, set()
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
