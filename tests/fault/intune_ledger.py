"""What devices hold and what Intune was told, compared with what the store knows: it holds at any moment, also of a dead process."""


def told(tenant):
    """[(transaction, serial number)] of every notification of success that Intune took, repetitions too."""
    notices = [entry.fields["notification"] for entry in tenant.asked("success") if entry.code == "Success"]
    return [(notice["transactionId"], int(notice["certificateSerialNumber"], 16)) for notice in notices]


def compare_with_intune(found, journal, told, database):
    """Adds to the Findings of ledger.compare. Every SCEP enrollment of the store is one that Intune vouched for."""
    rows = database.execute("SELECT e.requester, e.withheld, hex(c.serial) AS serial, c.status FROM enrollment e "
                            "JOIN certificate c ON c.enrollment_id = e.id WHERE e.protocol = 'scep'").fetchall()
    good = {(row["requester"], int(row["serial"], 16)) for row in rows if row["status"] == "issued"}
    released = {(row["requester"], int(row["serial"], 16)) for row in rows if row["status"] == "issued" and not row["withheld"]}
    held = {(transaction, int(serial, 16)) for transaction, serial, _ in journal}
    known = set(told)
    found.lost += sorted(held - released)                       # withheld or revoked in the store, but a device has it
    found.double += [transaction for transaction in {t for t, _ in known} if len({s for t, s in known if t == transaction}) > 1]
    found.untold = sorted((released | held) - known)            # in use, and Intune does not know
    found.unrecorded += [("told", *each) for each in sorted(known - good)]  # Intune knows a certificate that is none
    found.repeated_messages = len(told) - len(known)
    return found
