"""The web server of whoever owns the name, good or bad."""
import http.server
import threading
import time

PREFIX = "/.well-known/acme-challenge/"


def says(body, status=200, *headers):
    """One answer, for a server whose answers are functions of the request's handler."""
    def answer(request):
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        for header in headers:
            request.send_header(*header)
        request.end_headers()
        request.wfile.write(body)
    return answer


class ChallengeWeb:
    """Serves what a client wrote below `folder`, in one of these ways:

    good      the file
    wrong     200 with another content
    moved     302 to another path that has the file
    slow      the file, after two seconds
    absent    404
    """

    def __init__(self, port, folder, behaviour):
        self.folder = folder
        self.behaviour = behaviour
        self.asked = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802  (the name is http.server's)
                web.answer(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request):
        self.asked.append((request.path, request.headers.get("Host")))
        path = request.path
        if self.behaviour == "moved" and path.startswith(PREFIX):
            request.send_response(302)
            request.send_header("Location", "/moved" + path)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        if self.behaviour == "slow":
            time.sleep(2)
        body = self._content(path.removeprefix("/moved"))
        request.send_response(404 if body is None else 200)
        request.send_header("Content-Length", str(len(body or b"")))
        request.end_headers()
        request.wfile.write(body or b"")

    def _content(self, path):
        token = path.removeprefix(PREFIX)
        file = self.folder / PREFIX.strip("/") / token
        if self.behaviour == "absent" or not path.startswith(PREFIX) or "/" in token or not file.is_file():
            return None
        return b"this is no key authorization" if self.behaviour == "wrong" else file.read_bytes()
