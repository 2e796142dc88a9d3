"""What an officer sees (docs/approval.md)."""
import json


def waiting(server, name, status="pending_approval"):
    """Numbers of the requests of that status whose subject has the common name `name`."""
    rows = [json.loads(line) for line in server.cli("request", "list", "--status", status, "--json").splitlines()]
    subjects = {row["id"]: shown(server, row["id"])["approval"]["content"]["subject"] for row in rows}
    return [number for number, subject in subjects.items() if f"CN={name}" in map(str.strip, subject.split(","))]


def shown(server, number):
    return json.loads(server.cli("request", "show", number, "--json"))
