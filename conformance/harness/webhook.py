"""A program that judges challenges, as receivers of step-ca's SCEPCHALLENGE webhooks do, and as they should not.

It checks every request as a receiver does that trusts nobody: method, media type, X-Smallstep-Webhook-ID, and
X-Smallstep-Signature, the hexadecimal HMAC-SHA256 of the body under the secret (base64 as step-ca prints it). What is
wrong stands in `complaints`; such a request is answered 401. Else the `behaviour` decides:

  allow     200 {"allow": true, "data": self.data}, when the challenge is `right`; {"allow": false} otherwise
  deny      200 {"allow": false}
  silent    no answer until the server ends
  cut       half an answer
  junk      200 with what is no JSON
  untyped   200 {"allow": "true"}
  empty     200 without a body
  huge      200 {"allow": true} with a megabyte of data
  redirect  307 to a place that allows everything
  NNN       that status, with {"allow": true}, but 204, which has no body
  ends      200 {"allow": false}, and the connection ends unannounced
  loose     204 with a body all the same, which reads as the next answer: 200 {"allow": true}
"""
import base64
import hashlib
import hmac
import http.server
import json
import threading


class Webhook:
    def __init__(self, context, right="mdm-says-yes"):
        self.right = right
        self.secret = b""
        self.identity = ""
        self.behaviour, self.data = "allow", None
        self.asked, self.complaints, self.redirected = [], [], 0
        self._over = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802  (the name is http.server's)
                hook.judge(self)

            def do_GET(self):  # noqa: N802
                hook.complaints.append("GET")
                self.send_error(405)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # a client that went away
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"https://localhost:{self._server.server_address[1]}/scep"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def behave(self, behaviour, data=None):
        self.behaviour, self.data = behaviour, data
        self.asked.clear()
        self.complaints.clear()

    def _wrong(self, request, body):
        signature = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        if request.headers.get_all("X-Smallstep-Signature") != [signature]:
            return "signature"
        if request.headers.get_all("X-Smallstep-Webhook-ID") != [self.identity]:
            return "webhook id"
        if request.headers.get_content_type() != "application/json":
            return "media type"
        return None

    def judge(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if request.path == "/elsewhere":
            self.redirected += 1
            return self._answer(request, 200, b'{"allow": true}')
        if wrong := self._wrong(request, body):
            self.complaints.append(wrong)
            return self._answer(request, 401, b"{}")
        question = json.loads(body)
        base64.b64decode(question["x509CertificateRequest"]["raw"], validate=True)
        self.asked.append(question)
        allowed = json.dumps({"allow": True, "data": self.data}).encode()
        match self.behaviour:
            case "allow":
                right = question["scepChallenge"] == self.right
                return self._answer(request, 200, allowed if right else b'{"allow": false}')
            case "deny":
                return self._answer(request, 200, b'{"allow": false}')
            case "silent":
                self._over.wait()
                return None
            case "cut":
                request.send_response(200)
                request.send_header("Content-Length", "1000")
                request.end_headers()
                request.wfile.write(b'{"allow": true')
                request.close_connection = True
                return None
            case "junk":
                return self._answer(request, 200, b"<html>welcome</html>")
            case "untyped":
                return self._answer(request, 200, b'{"allow": "true"}')
            case "empty":
                return self._answer(request, 200, b"")
            case "huge":
                return self._answer(request, 200, json.dumps({"allow": True, "data": {"filler": "x" * 1_000_000}}).encode())
            case "loose":
                request.send_response(204)
                request.end_headers()
                request.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"allow": true}')
                return None
            case "ends":
                request.send_response(200)
                request.send_header("Content-Type", "application/json")
                request.send_header("Content-Length", "16")
                request.end_headers()  # no word that the connection ends with this answer
                request.wfile.write(b'{"allow": false}')
                request.close_connection = True
                return None
            case "redirect":
                return self._answer(request, 307, b"", Location=self.url.replace("/scep", "/elsewhere"))
            case status:
                return self._answer(request, int(status), b"" if status == "204" else b'{"allow": true}')

    @staticmethod
    def _answer(request, status, body, **headers):
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
