"""Ids that stay."""

from __future__ import annotations

from tieraudit.tasks.identity import resolve_merges, task_ids


def test_a_new_task_is_called_after_its_fingerprint() -> None:
    assert task_ids(["0123456789abcdef", "tail"], [{"0123456789abcdef": 9}, {}], {}, {}) == ["t-01234567", "tail"]


def test_two_keys_that_begin_alike_get_longer_ids() -> None:
    assert task_ids(["0123456700", "0123456711"], [{}, {}], {}, {}) == ["t-01234567", "t-0123456711"]


def test_a_known_fingerprint_keeps_its_id() -> None:
    assert task_ids(["bbbbbbbbbb"], [{"bbbbbbbbbb": 5, "aaaaaaaaaa": 2}], {"aaaaaaaaaa": "t-old"}, {}) == ["t-old"]


def test_the_part_that_shares_the_most_calls_keeps_the_id_of_a_split_task() -> None:
    found = task_ids(["aaaaaaaaaa", "bbbbbbbbbb"], [{"x": 5}, {"y": 8}], {"x": "t-old", "y": "t-old"}, {})
    assert found == ["t-aaaaaaaa", "t-old"]


def test_shared_calls_carry_the_id_when_every_fingerprint_is_new() -> None:
    assert task_ids(["cccccccccc"], [{"cccccccccc": 9}], {"z": "t-old"}, {(0, "t-old"): 7}) == ["t-old"]


def test_a_new_task_never_takes_the_id_of_one_that_is_gone() -> None:
    assert task_ids(["0123456789"], [{}], {"z": "t-01234567"}, {}) == ["t-0123456789"]


def test_calls_that_leave_the_tail_do_not_take_its_id() -> None:
    assert task_ids(["dddddddddd"], [{"dddddddddd": 9}], {"z": "t-old"}, {(0, "tail"): 7}) == ["t-dddddddd"]


def test_merges_follow_chains_and_survive_rings() -> None:
    assert resolve_merges(["a", "b", "c"], {"a": "b", "b": "c"}) == {"a": "c", "b": "c", "c": "c"}
    assert set(resolve_merges(["a", "b"], {"a": "b", "b": "a"})) == {"a", "b"}
