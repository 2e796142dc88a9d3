"""Health and metrics, on their own listener and nowhere else."""
import pytest

from harness.wire import ask


@pytest.mark.parametrize("path, text", [("/healthz", "ok\n"), ("/readyz", "ready\n")])
def test_health(server, path, text):
    answer = ask(server.ready["management"] + path)
    assert (answer.status, answer.body.decode()) == (200, text)
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_metrics_are_in_prometheus_format_and_count_requests(server):
    ask(server.ready["management"] + "/healthz")
    answer = ask(server.ready["management"] + "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
    lines = answer.body.decode().splitlines()
    samples = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}
    healthy = [value for name, value in samples.items() if name.startswith("postern_http_requests_total")
               and 'route="/healthz"' in name and 'status="200"' in name]
    assert sum(healthy) >= 1
    assert any(name.startswith("postern_ca_signatures_total") for name in samples)


def test_an_unknown_path_is_404_with_a_request_id(server):
    answer = ask(server.ready["management"] + "/nothing")
    assert answer.status == 404
    assert answer.headers["X-Request-Id"]
    assert answer.body == b"there is nothing at this path\n"


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_management_is_not_on_the_public_listener(server, path):
    base = server.directory().removesuffix("/acme/default/directory")
    assert ask(base + path, root=server.root).status == 404


@pytest.mark.parametrize("path", ["/acme/default/directory", "/api/postern/v1/export"])
def test_nothing_else_is_on_the_management_listener(server, path):
    assert ask(server.ready["management"] + path).status == 404
