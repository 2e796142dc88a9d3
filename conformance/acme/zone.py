"""The name server of whoever owns the names, of which clients' hooks change the zone."""
from strict.names import TXT, NameServer, Question, txt


class Zone(NameServer):
    """TXT records are files of `folder`, called like their owners, with a line a record; everything else is as NameServer has it."""

    def __init__(self, address, port, folder):
        self.folder = folder
        super().__init__(address, port)

    def _answer(self, octets, limit=None):
        if len(octets) >= 17 and (question := Question(octets)).type == TXT:
            file = self.folder / question.name
            lines = file.read_text().splitlines() if "/" not in question.name and file.is_file() else []
            self.says(question.name, TXT, *map(txt, lines))
        return super()._answer(octets, limit)
