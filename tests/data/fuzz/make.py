#!/usr/bin/python3
"""Writes the seeds: messages as real clients and servers send them, and each kind of broken one.

Inputs that a fuzz run found or merged stay as they are: only files named seed-* are written, and
one that exists is left alone unless --again is given (signatures differ each time).
"""
from enrollment_seeds import est, general_names, scep
from http_seeds import dns, http, texts
from jose_seeds import jose
from owner_seeds import owners
from pkix_seeds import pkix
from predecessor_seeds import move

for make in (jose, pkix, http, texts, dns, owners, est, scep, general_names, move):
    make()
