"""A strict EST client that asks what no real one asks, and judges the answers by RFC 7030, 8951, 9266 and 9908.

probe.py      what is asked, one object a row; the list of rows
operations.py bodies.py answers.py credentials.py connection.py proof.py renewal.py requests.py keys.py attributes.py
              the rows; each is a function whose name is the row's
table.py      the table as text and as Markdown

../probe runs it against any server, ../test_probe.py against Postern.
"""
