"""A change to an entity: a Struct whose fields are UNSET unless the caller gave them.

What was not given stays as it is, so that an old client cannot wipe out a field that it does not
know. Null is a value: it empties the field.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, Struct

from domain.kernel.errors import Refused


def given(change: Struct) -> dict[str, Any]:
    """The fields that are to change, by name."""
    values = ((name, getattr(change, name)) for name in change.__struct_fields__)
    return {name: value for name, value in values if value is not UNSET}


def refuse_change(facts: Iterable[tuple[str, object, object]]) -> None:
    """Each fact is a field's public name, what it is, and what is asked for (UNSET: nothing).

    Raises Refused. Asking for what is there already is fine.
    """
    for field, present, wanted in facts:
        if wanted is not UNSET and wanted != present:
            raise Refused(
                "never changes after creation: archive this and create a new one", field=field
            )
