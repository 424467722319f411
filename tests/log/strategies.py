"""Records as Hypothesis draws them."""

from hypothesis import strategies as st

from kafkasim.log.record import Record

_data = st.none() | st.binary(max_size=200)
_headers = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), _data),
    max_size=3,
).map(tuple)
_timestamps = st.integers(-1, 2**62)


def records() -> st.SearchStrategy[list[Record]]:
    """Draw records of a batch, one at least."""
    return st.lists(
        st.builds(Record, _timestamps, _data, _data, _headers), min_size=1, max_size=9
    )
