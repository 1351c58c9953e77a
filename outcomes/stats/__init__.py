"""Statistics of the registry: pure functions, sequences in, frozen results out.

No Django, no clock, no global random state. Every result says its method and
serialises to JSON with ``to_json``; where no honest number can be given the result
is marked not estimable and says why.
"""
