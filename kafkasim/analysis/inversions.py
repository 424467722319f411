"""Who overtook whom: Kendall's inversions, for many groups at once.

Within a group the records stand in the order in which the world intended them; each has
a rank: its place in the order in which they were processed. A later record with a lower
rank has **overtaken** an earlier one. The number of such pairs is Kendall's count (the
swaps that bubble sort would need); the number of records with at least one pair is what
a learner asks first.

Pairs are counted by radix, from the highest bit of the rank down: two ranks differ
first at one bit, and at that bit the smaller has a 0 and the larger a 1. So each pair
is counted once, while a stable partition by that bit brings equals together for the
next. It costs O(n log m) for n records in groups of at most m, with no loop over
records. The idea of counting inversions while sorting is Knuth's, TAOCP 3, section
5.1.1, exercise 6 (merge sort); the radix form needs only cumulative sums.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.arrays import order_by_group

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sequences:
    """Groups of records, each in intended order, with the time each was processed."""

    rows: Int64
    """Positions in the arrays they were made from, by group and then intended order."""
    groups: Int64
    """Group of each of `rows`, rising, from 0."""
    ended_ns: Int64
    """When each of `rows` was processed."""


def sequences(intended_ns: Int64, ended_ns: Int64, groups: Int64) -> Sequences:
    """Put records into groups, in intended order; equal times keep the order given.

    Parameters
    ----------
    intended_ns, ended_ns : int64 arrays of shape (n,), nanoseconds
    groups : int64 array of shape (n,)
        Group of each, from 0.
    """
    if bool(np.all(intended_ns[1:] >= intended_ns[:-1])):
        rows = order_by_group(groups)
    else:
        by_time = np.argsort(intended_ns, kind="stable")
        rows = by_time[order_by_group(groups[by_time])]
    return Sequences(rows, groups[rows], ended_ns[rows])


def processing_ranks(sequence: Sequences) -> Int64:
    """Return each record's place in its group's order of processing, from 0.

    Records processed at the same time keep their intended order: a tie is no
    overtaking.
    """
    order = np.argsort(_keys(sequence), kind="stable")
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks - group_starts(sequence.groups)


def group_starts(groups: Int64) -> Int64:
    """Return, for each element of a sorted array of groups, where its group begins."""
    places = np.arange(len(groups), dtype=np.int64)
    first = np.ones(len(groups), dtype=np.bool_)
    first[1:] = groups[1:] != groups[:-1]
    return np.maximum.accumulate(np.where(first, places, 0))


def _keys(sequence: Sequences) -> Int64:
    """Return the times, those of a group shifted above those of the group before it."""
    if not len(sequence.rows):
        return sequence.ended_ns
    times = sequence.ended_ns - sequence.ended_ns.min()
    stride = int(times.max()) + 1
    if stride * (int(sequence.groups[-1]) + 1) >= 2**62:
        times = np.unique(times, return_inverse=True)[1].astype(np.int64)
        stride = len(times)
    keys: Int64 = times + sequence.groups * stride
    return keys


def overtaken_mask(sequence: Sequences) -> Bool:
    """Tell for each record whether one intended later was processed before it.

    One running minimum from the end; it starts anew with each group by itself, since
    the keys of a group lie below those of the next.
    """
    if not len(sequence.rows):
        return np.zeros(0, dtype=np.bool_)
    keys = _keys(sequence)
    later = np.minimum.accumulate(keys[::-1])[::-1]
    overtaken = np.zeros(len(keys), dtype=np.bool_)
    overtaken[:-1] = later[1:] < keys[:-1]
    return overtaken


def overtaker_counts(sequence: Sequences) -> Int64:
    """Count for each record those intended later and processed before it.

    Returns
    -------
    int64 array of shape (n,)
        In the order of `sequence.rows`; its sum is the number of overtaken pairs.
    """
    counts = np.zeros(len(sequence.rows), dtype=np.int64)
    overtaken = overtaken_mask(sequence)
    disordered = np.zeros(int(sequence.groups.max(initial=-1)) + 1, dtype=np.bool_)
    disordered[sequence.groups[overtaken]] = True
    inside = disordered[sequence.groups]
    if overtaken.any():
        part = Sequences(
            sequence.rows[inside], sequence.groups[inside], sequence.ended_ns[inside]
        )
        counts[inside] = _radix_counts(part)
    return counts


def _radix_counts(sequence: Sequences) -> Int64:
    """Count overtakers bit by bit of the ranks, from the highest.

    Ranks and counts move within their group only, so where a group starts stays known;
    in the end each stands at its rank.
    """
    assert len(sequence.rows) < 2**30, "places are counted in 32 bits, for speed"
    ranks = processing_ranks(sequence)
    starts = group_starts(sequence.groups).astype(np.int32)
    places = np.arange(len(ranks), dtype=np.int32)
    counts = np.zeros(len(ranks), dtype=np.int32)
    zeros_until = np.zeros(len(ranks) + 1, dtype=np.int32)
    moving = ranks.astype(np.int32)
    for bit in range(int(ranks.max()).bit_length() - 1, -1, -1):
        half = np.int32(1 << bit)
        ones = (moving & half) > 0
        block = starts + (moving & -2 * half)
        np.cumsum(~ones, out=zeros_until[1:])
        zeros_before = zeros_until[:-1] - zeros_until[block]
        counts += np.where(ones, half - zeros_before, np.int32(0))
        target = np.where(ones, half + places - zeros_before, block + zeros_before)
        moving = _moved(moving, target)
        counts = _moved(counts, target)
    in_order: Int64 = counts[starts + ranks].astype(np.int64)
    return in_order


def _moved(values: Int32, target: Int32) -> Int32:
    moved = np.empty_like(values)
    moved[target] = values
    return moved


def first_overtakers(sequence: Sequences) -> Int64:
    """Return for each record the first that overtook it.

    Returns
    -------
    int64 array of shape (n,)
        Place (in `sequence.rows`) of the record processed first among those intended
        later, when that came before this one; -1 when nobody overtook it.
    """
    count = len(sequence.rows)
    if not count:
        return np.zeros(0, dtype=np.int64)
    starts = group_starts(sequence.groups)
    by_time = processing_ranks(sequence) + starts
    holder = np.empty(count, dtype=np.int64)
    holder[by_time] = np.arange(count)
    later = np.minimum.accumulate(by_time[::-1])[::-1]
    first = np.full(count, -1, dtype=np.int64)
    overtaken = later[1:] < by_time[:-1]
    first[:-1][overtaken] = holder[later[1:][overtaken]]
    return first


def group_sums(values: Int64 | Bool, groups: Int64, group_count: int) -> Int64:
    """Sum whole numbers by group.

    Parameters
    ----------
    values : int64 or bool array of shape (n,)
    groups : int64 array of shape (n,), from 0
    group_count : int
    """
    sums = np.bincount(groups, weights=values, minlength=group_count)
    return np.rint(sums).astype(np.int64)
