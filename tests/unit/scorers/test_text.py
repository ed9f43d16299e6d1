"""The facts that similarity must not blur."""

from __future__ import annotations

import pytest

from tieraudit.scorers.text import loads, plain, same_facts, unfenced


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Your order 10023847 was shipped today.", "Your order 10023848 was shipped today."),
        ("Write to anna.lee@example.org for details.", "Write to anna.lea@example.org for details."),
        ("The total is 1,250.00 euros including tax.", "The total is 1,520.00 euros including tax."),
        ("The patient may take this medicine with food.", "The patient may not take this medicine with food."),
        ("The customer is eligible for a refund.", "The customer is ineligible for a refund."),
        ("The part is available in our store.", "The part is unavailable in our store."),
        ("We can't deliver on Sundays at all.", "We can deliver on Sundays at all."),
        ("The code is ABC-XYZ for this month.", "The code is ABC-XYV for this month."),
        ("See https://example.org/a/refund-policy now.", "See https://example.org/b/refund-policy now."),
        ("Set user_name in the settings file.", "Set user_nama in the settings file."),
        ("It has 3 rooms.", "It has rooms."),
    ],
)
def test_a_number_an_identifier_or_a_negation_is_a_fact(one: str, other: str) -> None:
    assert not same_facts(one, other)
    assert not same_facts(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The total is 1,250.00 euros.", "The total is 1250 euros"),
        ("It was delivered on 5 May.", "It was  delivered on 5 May"),
        ("We apologise for the delay.", "We apologize for the delay."),
        ("No, thanks.", "No thanks"),
    ],
)
def test_wording_and_spacing_are_not(one: str, other: str) -> None:
    assert same_facts(one, other)


def test_the_case_of_an_answer_is_kept_and_its_dress_is_not() -> None:
    assert plain("**Answer:** `AB-12`.") == "AB-12"
    assert unfenced("```python\nx = 1\n```") == "x = 1"
    assert unfenced("a ```b``` c") == "a ```b``` c"


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "[" * 100_000, "{", "9" * 10_000, ""])
def test_json_that_is_none_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        loads(text)
