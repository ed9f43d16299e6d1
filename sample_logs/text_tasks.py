"""The tasks without one right answer: summaries, replies, tool calls, retrieval, contracts and chat."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from sample_logs.texts import (
    CHAT_TOPICS,
    COMPLAINTS,
    PASSAGES,
    PRODUCT_LINES,
    REPLY_CLOSINGS,
    REPLY_STEPS,
    SUMMARY_FRAMES,
)
from sample_logs.vocab import FIRST, Draft, Message, Moment, dialogue, digits, person, slots

SUMMARY_SYSTEM = (
    "Summarise the support ticket for the shift handover at Nordwand Outfitters in one or two sentences. Say who wants "
    "what, what was already promised and what is open. Keep order numbers and dates. No greeting, no advice."
)
REPLY_SYSTEM = (
    "You draft replies for the customer care team of Nordwand Outfitters. Today is {day}. The customer is {name} "
    "(ticket {ticket}). Write three to five friendly sentences, take the blame where it is ours, promise nothing that "
    "is not in the notes and sign as the Nordwand team.\n\nNotes from the agent:\n{notes}"
)
AGENT_SYSTEM = (
    "You are the order agent of Nordwand Outfitters. Customer id: {customer}. Date: {iso}. Decide which tool answers "
    "the request and call it. Call exactly one tool. If you have a tool result, answer the customer in one sentence."
)
HELP_SYSTEM = (
    "You answer questions of visitors in the help centre of Nordwand Outfitters. Today is {day}. You are talking to "
    "{name}. Use only the passage below; if it does not hold the answer, say that a colleague will write back.\n\n"
    "Passage ({source}):\n{passage}"
)
TRANSLATE_SYSTEM = "Translate the catalogue line of Nordwand Outfitters from English to German. Keep names and numbers."


def _tool(name: str, description: str, **fields: str) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": text} for key, text in fields.items()}
    schema = {"type": "object", "properties": properties, "required": list(fields), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


AGENT_TOOLS = [
    _tool("get_order_status", "Look up where an order is.", order_id="Order number, NW- and four digits"),
    _tool("create_return", "Open a return.", order_id="Order number", reason="Why the customer returns it"),
    _tool("change_address", "Change the delivery city of an order.", order_id="Order number", city="The new city"),
]
AGENT_TEXTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Where is {order}?", "get_order_status", {}),
    ("Has my {item} left the warehouse yet? {order}", "get_order_status", {}),
    ("I was told {order} would be here by {date}, what is going on?", "get_order_status", {}),
    ("I want to send back the {item} from {order}, it is too small.", "create_return", {"reason": "too small"}),
    ("{order}: the {item} is broken, how do I return it?", "create_return", {"reason": "broken"}),
    ("I moved. Please deliver {order} to {city}.", "change_address", {"city": "{city}"}),
    ("Can {order} go to my office in {city} instead?", "change_address", {"city": "{city}"}),
)


def summary_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for a summary of a short thread."""
    values = {**slots(rng), "ticket": str(moment.ticket), "agent": rng.choice(FIRST)}
    want, opening, promise, still_open = rng.choice(COMPLAINTS)
    thread = (
        f"Ticket {moment.ticket}\nCustomer {values['name']}, {values['date']}: {opening}\n"
        f"Agent {values['agent']}: {promise}\nCustomer {values['name']}: {still_open}"
    ).format(**values)
    answer = rng.choice(SUMMARY_FRAMES).format(want=want.format(**values), **values)
    return Draft(dialogue(SUMMARY_SYSTEM, (), thread), answer)


def reply_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for the draft of a reply; date, name and notes stand in the system prompt."""
    values = slots(rng)
    _want, opening, _promise, _open = rng.choice(COMPLAINTS)
    steps = rng.sample(REPLY_STEPS, 2)
    notes = " ".join(note for note, _ in steps).format(**values)
    system = REPLY_SYSTEM.format(day=moment.day, name=values["name"], ticket=moment.ticket, notes=notes)
    body = " ".join(sentence for _, sentence in steps).format(**values)
    thanks = rng.choice(("thank you for your message", "thanks for getting in touch", "thank you for telling us"))
    sorry = rng.choice(
        ("We are sorry for the trouble.", "That should not have happened.", "We understand the annoyance.")
    )
    closing = rng.choice(REPLY_CLOSINGS)
    body = f"{thanks} about order {values['order']}. {sorry} {body} {closing}"
    answer = f"Dear {values['name']},\n\n{body}\n\nThe Nordwand team"
    return Draft(dialogue(system, (), opening.format(**values)), answer)


def agent_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for a tool call."""
    values = slots(rng)
    text, name, extra = rng.choice(AGENT_TEXTS)
    arguments = {"order_id": values["order"]} | {key: value.format(**values) for key, value in extra.items()}
    call = {
        "id": f"call_{rng.getrandbits(96):024x}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments, separators=(",", ":"))},
    }
    system = AGENT_SYSTEM.format(customer=f"C{digits(rng, 7)}", iso=moment.iso)
    params = {"tools": AGENT_TOOLS, "tool_choice": "auto"}
    return Draft(dialogue(system, (), text.format(**values)), None, params, [call])


def agent_answer(rng: Random, first: Draft) -> Draft:
    """Ask for the sentence that follows a tool result."""
    call = first.tool_calls[0]
    name, order = call["function"]["name"], json.loads(call["function"]["arguments"])["order_id"]
    city = slots(rng)["city"]
    result, answer = {
        "get_order_status": (
            {"order_id": order, "status": "in_transit", "city": city},
            f"Your order {order} is on its way and was last seen in {city}.",
        ),
        "create_return": (
            {"order_id": order, "label": f"R{order[3:]}"},
            f"I have opened a return for {order}; the label R{order[3:]} is in your mail.",
        ),
        "change_address": ({"order_id": order, "ok": True}, f"Done, order {order} now goes to the new address."),
    }[name]
    turns: list[Message] = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)},
    ]
    return Draft([*first.messages, *turns], answer, dict(first.params))


def help_draft(rng: Random, moment: Moment) -> Draft:
    """Ask a question about a retrieved passage; date, name and passage stand in the system prompt."""
    source, passage, pairs = rng.choice(PASSAGES)
    question, answer = rng.choice(pairs)
    name = person(rng)
    system = HELP_SYSTEM.format(day=moment.day, name=name, source=source, passage=passage)
    opening = rng.choice(("", "Hello! ", "Quick question: ", "Hi, "))
    greeting = rng.choice((f"Hello {name.split()[0]}, ", f"Hi {name.split()[0]}, ", ""))
    text = greeting + (answer[0].lower() + answer[1:] if greeting else answer)
    return Draft(dialogue(system, (), opening + question), text)


def chat_draft(rng: Random, moment: Moment) -> Draft:
    """Chat of an employee, without a template; a few turns hold a picture."""
    turns = list(rng.choice(CHAT_TOPICS))
    shown = rng.choice([count for count in (1, 3, 5) if count < len(turns)])
    values = slots(rng)
    messages: list[Message] = []
    for index, turn in enumerate(turns[:shown]):
        messages.append({"role": "user" if index % 2 == 0 else "assistant", "content": turn.format(**values)})
    if rng.random() < 0.25:
        picture = {"url": f"https://files.nordwand.example/chat/{moment.ticket}.jpg"}
        last = messages[-1]
        last["content"] = [{"type": "text", "text": last["content"]}, {"type": "image_url", "image_url": picture}]
    return Draft(messages, turns[shown].format(**values))


def translate_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for the translation of a catalogue line."""
    english, german = rng.choice(PRODUCT_LINES)
    weight = str(rng.randrange(180, 2900))
    return Draft(dialogue(TRANSLATE_SYSTEM, (), english.format(weight=weight)), german.format(weight=weight))


def copy_draft(rng: Random, moment: Moment) -> Draft:
    """Stand in for the product copy calls, whose prompts are not stored: only the lengths matter."""
    return Draft([{"role": "user", "content": "x" * rng.randrange(5600, 7600)}], "x" * rng.randrange(500, 1100))
