"""The tasks with one right answer: extraction, conversion, arithmetic and labels."""

from __future__ import annotations

import json
from random import Random

from sample_logs.vocab import FIRST, ITEMS, LAST, SKU_PREFIX, Draft, Moment, dialogue, digits, slots

INBOX = "You work in the support inbox of Nordwand Outfitters. "

ORDER_SYSTEM = INBOX + "Extract the order number from the customer message. Reply with the order number only."
ORDER_SHOTS = (
    ("Where is my tent? NW-4029", "NW-4029"),
    ("The boots from NW-1183 are too small.", "NW-1183"),
    ("NW-5590: please cancel the jacket.", "NW-5590"),
    ("Any news on NW-7306? Thanks, Maria", "NW-7306"),
    ("Can you add a rope to NW-2859?", "NW-2859"),
)
ORDER_TEXTS = (
    "Where is my {item}? {order}",
    "The {item} from {order} came with a tear.",
    "{order}: please cancel the {item}.",
    "Can I still change the address for {order}?",
    "I have no confirmation for {order} yet.",
    "Any news on {order}? Thanks, {first}",
    "I need the {item} in {size}, order {order}.",
    "Please send {order} to {city}.",
    "{order} was charged twice.",
    "Can you add a {item} to {order}?",
    "{first} here. {order} is not complete.",
    "I sent {order} back on {date}.",
)

TRACKING_SYSTEM = INBOX + "Extract the tracking number from the customer message. Reply with the tracking number only."
TRACKING_SHOTS = (
    ("TRK-40291 is stuck in Lyon.", "TRK-40291"),
    ("Where can I collect TRK-11835?", "TRK-11835"),
    ("TRK-55902: the driver left it in Graz.", "TRK-55902"),
    ("Has TRK-73006 left Basel yet?", "TRK-73006"),
)
TRACKING_TEXTS = (
    "{parcel} is stuck in {city}.",
    "I did not get {parcel}.",
    "Has {parcel} reached {city}?",
    "Where can I collect {parcel}?",
    "{parcel} does not move.",
    "The page for {parcel} shows an error.",
    "Can you send {parcel} to {city}?",
    "The {item} in {parcel} is missing.",
    "When does {parcel} leave {city}?",
    "I refused {parcel} on {date}.",
)

INVOICE_SYSTEM = (
    "You read incoming mail for the accounts payable team of Nordwand Outfitters. "
    "Extract the invoice amount in EUR. Reply with the number only."
)
INVOICE_SHOTS = (
    ("Alpen Textil: EUR 318.40, due on 3 May.", "318.40"),
    ("Reminder: EUR 95.10 was due on 12 June.", "95.10"),
    ("Sella Boots: please pay EUR 742.05.", "742.05"),
    ("Amount due: EUR 56.25, payable by 1 August.", "56.25"),
    ("Invoice of Tarn Foam: EUR 481.90.", "481.90"),
    ("Reminder from Tarn Foam: EUR 207.35.", "207.35"),
)
INVOICE_TEXTS = (
    "{supplier}: EUR {price}, due on {date}.",
    "Amount due: EUR {price}, payable by {date}.",
    "Reminder: EUR {price} was due on {date}.",
    "Reminder from {supplier}: EUR {price}.",
    "Invoice of {supplier}: EUR {price}.",
    "{supplier}: please pay EUR {price}.",
    "Second reminder: EUR {price}. {supplier}",
    "{supplier}: EUR {price} by {date}.",
)

STOCK_SYSTEM = "Convert the stock line of the warehouse scanner to JSON with the keys sku and qty."
STOCK_SHOTS = (
    ("TNT-4029;tent;17", '{"sku":"TNT-4029","qty":17}'),
    ("JKT-1183;rain jacket;204", '{"sku":"JKT-1183","qty":204}'),
    ("RPE-5590;rope;8", '{"sku":"RPE-5590","qty":8}'),
    ("SLB-7300;sleeping bag;56", '{"sku":"SLB-7300","qty":56}'),
)

EMAIL_SYSTEM = INBOX + "Extract the e-mail address from the customer message. Reply with the e-mail address only."
EMAIL_SHOTS = (
    ("Please change my address to greta.hill@post.net, the old one no longer works.", "greta.hill@post.net"),
    ("I never got the receipt at paul37@inbox.org. Order NW-402917.", "paul37@inbox.org"),
    ("Write to rosa_owens@mail.com when the stove is back.", "rosa_owens@mail.com"),
    ("My login liam.king@web.eu is locked since 3 May.", "liam.king@web.eu"),
)
EMAIL_TEXTS = (
    "Please change my address to {email}, the old one no longer works.",
    "Write to {email} when the {item} is back.",
    "I never got the receipt at {email}. Order {order}.",
    "My login {email} is locked since {date}.",
    "Send the invoice for the {item} to {email} please.",
    "{email} gets your newsletter twice. Please stop one.",
    "You can reach me at {email} until {date}.",
)

LABEL_FRAME = (
    "You are the triage assistant of Nordwand Outfitters, an outdoor gear shop with stores in four countries. You get "
    "one customer message at a time, as it was typed, with typing errors and in any tone. Read the whole message and "
    "think about what the customer needs from us, not about single words. Never answer the customer, never explain "
    "yourself and never invent a label that is not in the list. If two labels fit, take the first one in the list. "
)
INTENT_SYSTEM = LABEL_FRAME + (
    "Reply with exactly one label, the reason for writing: refund, exchange, delivery, product, invoice, account, "
    "warranty, cancel."
)
URGENCY_SYSTEM = LABEL_FRAME + ("Reply with exactly one label, how soon we must act: now, today, week, later.")
LABEL_TEXTS = (
    ("I want my money back for the {item}.", "refund", "week"),
    ("I sent the {item} back on {date} and have not seen a cent of the {amount} EUR.", "refund", "today"),
    ("Can I swap the {item} for a bigger one?", "exchange", "week"),
    ("The {item} is too tight, could you send me {size} instead?", "exchange", "week"),
    ("Where is my {item}? It was promised for {date}.", "delivery", "today"),
    ("I fly out tonight and the {item} is not here!", "delivery", "now"),
    ("Is the {item} waterproof?", "product", "later"),
    ("How heavy is the {item} in {size}?", "product", "later"),
    ("I need a receipt with VAT for the {item}.", "invoice", "week"),
    ("My bookkeeper asks for a copy of the bill from {date}, the one over {amount} EUR.", "invoice", "week"),
    ("I cannot log in to see my {item} order.", "account", "today"),
    ("Somebody ordered a {item} with my login, please lock it at once!", "account", "now"),
    ("The {item} broke after a year, is that covered?", "warranty", "week"),
    ("The seam of the {item} came open after two trips, it should last longer than that.", "warranty", "week"),
    ("Please stop my {item} order before it ships this afternoon.", "cancel", "now"),
    ("I do not need the {item} any more, please drop the order.", "cancel", "today"),
)
INTENTS = ("refund", "exchange", "delivery", "product", "invoice", "account", "warranty", "cancel")
URGENCIES = ("now", "today", "week", "later")

REFUND_SYSTEM = (
    "You help the finance team of Nordwand Outfitters. Work out the refund for a return: quantity times unit price, "
    "minus the discount in percent, minus the return fee. Reply with the amount in EUR with two decimals, nothing else."
)

REASONS = {
    "too small": "too_small",
    "too tight in the shoulders": "too_small",
    "too big": "too_large",
    "far too wide": "too_large",
    "arrived with a crack": "damaged",
    "torn on arrival": "damaged",
    "not what I ordered": "wrong_item",
    "you sent another colour": "wrong_item",
    "do not need it any more": "changed_mind",
    "bought another one": "changed_mind",
}
SLIP_SYSTEM = (
    "You read return slips for the warehouse of Nordwand Outfitters. Fill in the fields from the slip. "
    "Choose the reason code that fits what the customer wrote."
)
SLIP_SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "quantity": {"type": "integer"},
        "item": {"type": "string"},
        "reason": {"type": "string", "enum": sorted(set(REASONS.values()))},
    },
    "required": ["order", "quantity", "item", "reason"],
    "additionalProperties": False,
}


def _swap_digit(rng: Random, text: str) -> str:
    """Misread one digit, as a model does now and then."""
    places = [index for index, char in enumerate(text) if char.isdigit()]
    place = rng.choice(places)
    return text[:place] + str((int(text[place]) + rng.randrange(1, 9)) % 10) + text[place + 1 :]


def order_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for the order number in a message."""
    values = slots(rng)
    text = rng.choice(ORDER_TEXTS).format(**values)
    return Draft(dialogue(ORDER_SYSTEM, ORDER_SHOTS, text), values["order"], wrong=_swap_digit(rng, values["order"]))


def tracking_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for the tracking number in a message."""
    values = slots(rng)
    text = rng.choice(TRACKING_TEXTS).format(**values)
    wrong = _swap_digit(rng, values["parcel"])
    return Draft(dialogue(TRACKING_SYSTEM, TRACKING_SHOTS, text), values["parcel"], wrong=wrong)


def invoice_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for the amount of an invoice."""
    values = slots(rng)
    text = rng.choice(INVOICE_TEXTS).format(**values)
    return Draft(
        dialogue(INVOICE_SYSTEM, INVOICE_SHOTS, text), values["price"], wrong=_swap_digit(rng, values["price"])
    )


def stock_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for a scanner line as JSON."""
    item = rng.choice(ITEMS)
    row = {
        "sku": f"{SKU_PREFIX[item]}-{digits(rng, 4)}",
        "qty": rng.randrange(2, 300),
    }
    line = f"{row['sku']};{item};{row['qty']}"
    answer, wrong = (
        json.dumps(values, separators=(",", ":")) for values in (row, {**row, "qty": int(str(row["qty"])) + 1})
    )
    return Draft(dialogue(STOCK_SYSTEM, STOCK_SHOTS, line), answer, wrong=wrong)


def email_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for the e-mail address in a message."""
    first, last, number = rng.choice(FIRST).lower(), rng.choice(LAST).lower(), rng.randrange(10, 99)
    local = rng.choice((f"{first}.{last}", f"{first}{number}", f"{first}_{last}"))
    email = f"{local}@{rng.choice(('mail.com', 'post.net', 'inbox.org', 'web.eu'))}"
    text = rng.choice(EMAIL_TEXTS).format(email=email, **slots(rng))
    return Draft(dialogue(EMAIL_SYSTEM, EMAIL_SHOTS, text), email, wrong=email.replace(".", ""))


def _label_draft(rng: Random, system: str, column: int, labels: tuple[str, ...]) -> Draft:
    row = rng.choice(LABEL_TEXTS)
    values = slots(rng)
    tail = rng.choice(("", "", " Order {order}.", " Thanks, {first}", " My order is {order}. {name}"))
    text = (row[0] + tail).format(**values)
    wrong = rng.choice([label for label in labels if label != row[column]])
    return Draft(dialogue(system, (), text), row[column], wrong=wrong)


def intent_draft(rng: Random, moment: Moment) -> Draft:
    """Ask why a customer writes."""
    return _label_draft(rng, INTENT_SYSTEM, 1, INTENTS)


def urgency_draft(rng: Random, moment: Moment) -> Draft:
    """Ask how soon a message needs an answer; the prompt differs from the intent prompt in its last sentence."""
    return _label_draft(rng, URGENCY_SYSTEM, 2, URGENCIES)


def refund_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for a sum that takes three steps."""
    quantity, price, percent, fee = rng.randrange(1, 6), rng.randrange(12, 190), rng.choice((5, 10, 15, 20)), 4
    total = quantity * price * (100 - percent) / 100 - fee
    text = f"{quantity} x {rng.choice(ITEMS)} at {price}.00 EUR, discount {percent} %, return fee {fee}.00 EUR"
    return Draft(dialogue(REFUND_SYSTEM, (), text), f"{total:.2f}", wrong=f"{total + fee:.2f}")


def slip_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for a return slip as JSON that follows a schema."""
    values, words, quantity = slots(rng), rng.choice(sorted(REASONS)), rng.randrange(1, 5)
    row = {"order": values["order"], "quantity": quantity, "item": values["item"], "reason": REASONS[words]}
    text = f"Return slip {moment.ticket}: order {values['order']}, {quantity} x {values['item']}. Note: {words}"
    return Draft(dialogue(SLIP_SYSTEM, (), text), json.dumps(row), wrong=json.dumps({**row, "reason": "changed_mind"}))
