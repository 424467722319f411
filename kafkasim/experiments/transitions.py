"""The states of a group and the ways between them, as its coordinator has them."""

from typing import TYPE_CHECKING, Final

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.protocol.groups.coordinator import classic_group, consumer_group

if TYPE_CHECKING:
    import pandas as pd

_PROTOCOLS: Final = ("classic", "consumer")


def transitions(protocol: str = "classic") -> "pd.DataFrame":
    """Return the ways between the states of a group.

    They are the tables by which the coordinators of a run go, and not a copy of them.

    Parameters
    ----------
    protocol : str
        `classic`, or `consumer` (KIP-848).

    Returns
    -------
    pandas.DataFrame
        One row per way: `state`, `next_state` as Kafka prints them, and `why`, what can
        cause it. `attrs["protocol"]`.

    Raises
    ------
    ValidationError
        No such protocol.

    Examples
    --------
    >>> table = transitions("classic")
    >>> table[table["state"] == "Empty"].to_numpy().tolist()[0]
    ['Empty', 'PreparingRebalance', 'member joined']
    """
    import pandas as pd

    if protocol not in _PROTOCOLS:
        raise ValidationError(
            "protocol", protocol, say("one of {names}", names=", ".join(_PROTOCOLS))
        )
    rows = (
        [
            (str(state), str(to), ", ".join(map(str, why)))
            for (state, to), why in classic_group.TRANSITIONS.items()
        ]
        if protocol == "classic"
        else [
            (str(state), str(to), why)
            for state, row in consumer_group.TRANSITIONS.items()
            for to, why in row.items()
        ]
    )
    table = pd.DataFrame(rows, columns=["state", "next_state", "why"])
    table.attrs["protocol"] = protocol
    return table
