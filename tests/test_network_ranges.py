"""Address and port arithmetic against plain sets of numbers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from secinbox.network.ranges import (
    EMPTY,
    IntSet,
    addresses,
    boundaries,
    cidr_texts,
    clients,
    everything,
    is_wide,
    parse_network,
    port_text,
)

intervals = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda t: (t[0], t[0] + t[1])), max_size=6
)


def members(value: IntSet) -> set[int]:
    return {n for low, high in value.intervals for n in range(low, high + 1)}


@given(intervals, intervals)
def test_union_intersection_and_difference_are_those_of_sets(
    a: list[tuple[int, int]], b: list[tuple[int, int]]
) -> None:
    one, two = IntSet.of(a), IntSet.of(b)
    assert members(one | two) == members(one) | members(two)
    assert members(one & two) == members(one) & members(two)
    assert members(one - two) == members(one) - members(two)
    assert (one | two).size == len(members(one) | members(two))


@given(intervals)
def test_intervals_are_sorted_disjoint_and_joined(a: list[tuple[int, int]]) -> None:
    found = IntSet.of(a).intervals
    assert all(x[1] + 1 < y[0] for x, y in pairwise(found))


@given(intervals, st.tuples(st.integers(0, 30), st.integers(30, 80)))
def test_elementary_intervals_cover_the_whole_and_cross_no_border(
    a: list[tuple[int, int]], whole: tuple[int, int]
) -> None:
    slices = boundaries(a, whole)
    assert members(IntSet.of(slices)) == set(range(whole[0], whole[1] + 1))
    for low, high in slices:
        for x, y in a:
            assert (x <= low and high <= y) or high < x or low > y


def test_two_halves_are_everything() -> None:
    assert addresses(["0.0.0.0/1", "128.0.0.0/1"], 4) == everything(4)
    assert is_wide(addresses(["0.0.0.0/1", "128.0.0.0/1"], 4), 4)
    assert is_wide(addresses(["::/1", "8000::/1"], 6), 6)


def test_private_and_narrow_ranges_are_not_the_internet() -> None:
    assert not is_wide(addresses(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], 4), 4)
    assert not is_wide(addresses(["203.0.113.0/24"], 4), 4)
    assert is_wide(addresses(["52.0.0.0/16"], 4), 4)
    assert not is_wide(addresses(["2001:db8::/32"], 6), 6)
    assert is_wide(addresses(["2001::/16"], 6), 6)
    assert clients(addresses(["10.0.0.0/8"], 4), 4) == EMPTY


def test_host_bits_are_cut_and_nonsense_is_none() -> None:
    assert str(parse_network("10.1.2.3/8")) == "10.0.0.0/8"
    assert str(parse_network("203.0.113.7")) == "203.0.113.7/32"
    for text in ("", "300.0.0.0/8", "10.0.0.0/33", None, 7, "sg-1"):
        assert parse_network(text) is None


def test_texts_for_people() -> None:
    assert port_text(IntSet.of([(22, 22), (443, 443), (8000, 8100)])) == "22, 443, 8000-8100"
    assert cidr_texts(addresses(["203.0.113.0/24"], 4), 4) == "203.0.113.0/24"


@given(
    st.lists(
        st.sampled_from(["0.0.0.0/1", "128.0.0.0/1", "52.0.0.0/8", "10.0.0.0/8", "8.8.8.0/24"])
    ),
    st.sampled_from(["52.1.0.0/16", "8.8.8.8/32", "0.0.0.0/0"]),
)
def test_a_narrower_list_never_is_wider(cidrs: list[str], more: str) -> None:
    assert not is_wide(addresses(cidrs, 4), 4) or is_wide(addresses([*cidrs, more], 4), 4)
