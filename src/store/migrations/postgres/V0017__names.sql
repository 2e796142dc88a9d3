-- readable by V0010: nothing changes.

-- The place of the step that makes requests findable by their names; this tree gets it from where that is made.
