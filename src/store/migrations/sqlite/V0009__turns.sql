-- readable by V0008: nothing is changed.

-- One writer carries out one batch after another: there is no turn to wait for.
