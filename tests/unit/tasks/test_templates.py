"""Prefixes, user templates and payload sentences: what of a prompt repeats."""

from __future__ import annotations

import random

from tieraudit.tasks.sample import Sampled
from tieraudit.tasks.systems import SystemKeys, payload_pieces
from tieraudit.tasks.traits import Reader, ends_of, read_system, token_ends
from tieraudit.tasks.trie import Trie
from tieraudit.tasks.users import UserKeys, templates_within

WORDS = ("kettle", "lamp", "desk", "chair", "router", "phone", "tablet", "blender", "toaster", "late", "broken", "lost")


def payload(source: random.Random, words: int = 8) -> str:
    return " ".join(source.choice(WORDS) for _ in range(words))


class TestTrie:
    def test_a_prefix_ends_where_the_payload_begins(self) -> None:
        source = random.Random(1)
        turns = [("translate", "this", "into", "french", ":", *payload(source).split()) for _ in range(200)]
        assert Trie(turns, depth=24, support=40).length(turns[0]) == 5

    def test_fewer_than_three_tokens_are_no_prefix(self) -> None:
        turns = [("hello", "there", word) for word in WORDS] * 3
        assert Trie(turns, depth=24, support=12).length(("hello", "there", "kettle")) == 0

    def test_an_unknown_sequence_has_none(self) -> None:
        assert Trie([("a", "b", "c")] * 20, depth=24, support=12).length(("x", "b", "c")) == 0
        assert Trie([], depth=24, support=12).length(("a", "b", "c")) == 0


class TestUserTurns:
    def test_a_template_may_stand_at_either_end(self) -> None:
        source = random.Random(2)
        front = [token_ends(ends_of(f"Translate into French: {payload(source)}")) for _ in range(60)]
        back = [token_ends(ends_of(f"{payload(source)}\n\nList every product above.")) for _ in range(60)]
        keys = UserKeys(front + back, 12)
        assert {keys.key(turn) for turn in front} == {(("translate", "into", "french", ":"), ())}
        assert {key[1][-6:] for turn in back if (key := keys.key(turn))} == {("list", "every", "product", "above", ".")}

    def test_people_who_open_alike_make_no_template(self) -> None:
        source = random.Random(3)
        turns = [token_ends(ends_of(f"How do I {payload(source)}?")) for _ in range(100)]
        assert all(UserKeys(turns, 12).key(turn) is None for turn in turns)

    def test_a_repeated_ending_of_the_payload_does_not_split_a_template(self) -> None:
        source = random.Random(4)
        turns = [
            token_ends(
                ends_of(f"Extract the product from: {payload(source)}. Thanks, {source.choice(WORDS[:4])} team.")
            )
            for _ in range(200)
        ]
        assert len({UserKeys(turns, 12).key(turn) for turn in turns}) == 1

    def test_payload_behind_a_system_prompt_is_not_searched_for_templates(self) -> None:
        source = random.Random(5)
        letters = [token_ends(ends_of(f"Dear team, my {payload(source)}. Kind regards")) for _ in range(200)]
        assert templates_within(letters) is None

    def test_one_template_behind_a_system_prompt_is_no_reason_to_split(self) -> None:
        source = random.Random(6)
        asked = [
            token_ends(ends_of(f"Summarise this {kind} for the board: {payload(source)}"))
            for kind in ("letter", "memo", "letter", "letter")
            for _ in range(50)
        ]
        assert templates_within(asked) is None

    def test_both_ends_of_a_long_turn_are_kept(self) -> None:
        turn = "Summarise this. " + "word " * 2_000 + "Answer in German."
        head, tail = token_ends(ends_of(turn))
        assert head[:3] == ("summarise", "this", ".")
        assert tail[:4] == (".", "german", "in", "answer")


class TestSystemTexts:
    def test_sentences_from_a_pool_are_payload(self) -> None:
        source = random.Random(7)
        notes = ["Refund was booked.", "Parcel was found.", "Label was sent.", "Voucher is fine."]
        texts = [f"Draft a reply. Notes. {' '.join(source.sample(notes, 2))} Be kind." for _ in range(200)]
        systems = [read_system(text) for text in texts]
        known = {piece: text for s in systems for piece, text in zip(s.pieces, s.piece_texts(), strict=True)}
        assert {known[piece] for piece in payload_pieces(systems, 12)} == set(notes)

    def test_sentences_that_keep_their_place_are_not(self) -> None:
        texts = ["Do one. Be kind. Be brief.", "Do two. Be kind. Be brief.", "Do one. Be brief. Be kind."]
        assert payload_pieces([read_system(text) for text in texts * 50], 12) == frozenset()

    def test_the_skeleton_shows_what_stays_and_where_it_varies(self) -> None:
        source = random.Random(8)
        reader = Reader()
        texts = [f"You help at Acme.\nThe case: {payload(source)}. {payload(source)}. Be \\kind." for _ in range(60)]
        bodies = [{"messages": [{"role": "system", "content": text}]} for text in texts]
        calls = [Sampled(str(n), n, 1, reader.read(body, None), None, ()) for n, body in enumerate(bodies)]
        system = calls[0].traits.system
        assert system is not None
        assert SystemKeys(calls, 12).skeleton(system) == "You help at «name».\nThe case: «…» Be \\kind."

    def test_equal_prompts_are_read_once(self) -> None:
        reader = Reader()
        body = {"messages": [{"role": "system", "content": "Do it."}, {"role": "user", "content": "x"}]}
        assert reader.read(body, None).system is reader.read(body, None).system

    def test_the_hash_is_of_the_whole_text_even_when_it_is_cut(self) -> None:
        long = "word " * 20_000
        assert read_system(long).sha256 != read_system(long + "x").sha256
