"""A recursion, derived and drawn."""

import io

import ntkfield as nf

recursion, picture = nf.recursion("F"), io.BytesIO()
assert len(recursion.diagrams) == 2
recursion.draw(only=0).savefig(picture, format="png")
assert picture.getvalue().startswith(b"\x89PNG")
