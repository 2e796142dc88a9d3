"""A SCEP endpoint that asks for nothing: said at each start, and by the doctor, until its account asks again."""
import json

DOCUMENT = """
[[profile]]
name = "laboratory"
lifetime = "30d"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"

[[endpoint]]
name = "laboratory"
protocol = "scep"
profiles = ["laboratory"]

[[account]]
name = "anybody"
endpoint = "laboratory"
method = "open"
enabled = ENABLED
common_names = ["phone-*"]
"""


def warnings(server):
    lines = [line for line in server.log.read_text().splitlines() if '"event":"scep_open_endpoint"' in line]
    return [(event["endpoint"], event["account"]) for event in map(json.loads, lines)]


def finding(server):
    done = server.verb("doctor", "--data", server.data, "--lab", "--json")
    [found] = [f for f in json.loads(done.stdout)["findings"] if f["check"] == "store.open_endpoints"]
    return found


def test_an_open_endpoint_is_marked(new_server, tmp_path):
    server = new_server()
    server.start()
    assert (warnings(server), finding(server)["verdict"]) == ([], "good")
    document = tmp_path / "laboratory.toml"
    document.write_text(DOCUMENT.replace("ENABLED", "true"))
    server.apply(document)
    marked = finding(server)
    assert marked["verdict"] == "notice"
    assert marked["what"] == "everybody who reaches them enrolls at these SCEP and EST endpoints: laboratory (account default/anybody)"
    server.stop()
    server.start()
    assert warnings(server) == [("laboratory", "default/anybody")]
    document.write_text(DOCUMENT.replace("ENABLED", "false"))
    server.apply(document)
    assert finding(server)["verdict"] == "good"
    server.stop()
    server.start()
    assert len(warnings(server)) == 1
