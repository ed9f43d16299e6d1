"""Words and numbers of the fictional shop that the sample logs come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

Message = dict[str, Any]

FIRST = (
    "Anna",
    "Ben",
    "Carla",
    "David",
    "Emma",
    "Felix",
    "Greta",
    "Hugo",
    "Ida",
    "Jonas",
    "Klara",
    "Liam",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Rosa",
    "Sam",
    "Tina",
    "Victor",
)
LAST = (
    "Baker",
    "Clark",
    "Davis",
    "Evans",
    "Fisher",
    "Green",
    "Hill",
    "Irwin",
    "Jones",
    "King",
    "Lewis",
    "Moore",
    "Nolan",
    "Owens",
    "Price",
    "Quinn",
    "Reed",
    "Scott",
)
ITEMS = (
    "tent",
    "stove",
    "rope",
    "boots",
    "rain jacket",
    "backpack",
    "headlamp",
    "sleeping bag",
    "trekking poles",
    "water filter",
    "camping chair",
    "fleece",
)
CITIES = ("Kassel", "Lyon", "Ghent", "Turin", "Graz", "Brno", "Porto", "Aarhus", "Basel", "Lille", "Utrecht", "Verona")
SUPPLIERS = (
    "Alpen Textil",
    "Nordic Rope",
    "Bergmann Tools",
    "Lowland Print",
    "Fjord Freight",
    "Sella Boots",
    "Tarn Foam",
)
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
SKU_PREFIX = {
    "tent": "TNT",
    "stove": "STV",
    "rope": "RPE",
    "boots": "BTS",
    "rain jacket": "JKT",
    "backpack": "BPK",
    "headlamp": "HDL",
    "sleeping bag": "SLB",
    "trekking poles": "POL",
    "water filter": "FLT",
    "camping chair": "CHR",
    "fleece": "FLC",
}


@dataclass(frozen=True)
class Moment:
    """When a call is made, and the case it belongs to."""

    at: datetime
    ticket: int

    @property
    def day(self) -> str:
        """The date as a person writes it."""
        return f"{self.at:%A}, {self.at.day} {self.at:%B %Y}"

    @property
    def iso(self) -> str:
        """The date as a program writes it."""
        return f"{self.at:%Y-%m-%d}"


@dataclass
class Draft:
    """One call before it is written in a log format: the request and the true answer."""

    messages: list[Message]
    answer: str | None
    params: dict[str, Any] = field(default_factory=dict)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    wrong: str | None = None


def digits(rng: Random, count: int) -> str:
    """Give a number of `count` digits that does not start with zero."""
    return str(rng.randrange(1, 10)) + "".join(str(rng.randrange(10)) for _ in range(count - 1))


def order_number(rng: Random) -> str:
    """Give an order number such as NW-4029."""
    return f"NW-{digits(rng, 4)}"


def day_month(rng: Random) -> str:
    """Give a date without a year, such as 14 March."""
    return f"{rng.randrange(1, 29)} {rng.choice(MONTHS)}"


def amount(rng: Random, low: int = 12, high: int = 990) -> str:
    """Give an amount of money with two decimals."""
    return f"{rng.randrange(low, high)}.{rng.randrange(100):02d}"


def person(rng: Random) -> str:
    """Give a full name."""
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"


def slots(rng: Random) -> dict[str, str]:
    """Give a value for every placeholder that the text templates use."""
    item = rng.choice(ITEMS)
    return {
        "item": item,
        "order": order_number(rng),
        "date": day_month(rng),
        "amount": str(rng.randrange(15, 420)),
        "price": amount(rng),
        "first": rng.choice(FIRST),
        "name": person(rng),
        "city": rng.choice(CITIES),
        "size": str(rng.randrange(36, 47)),
        "sku": f"{SKU_PREFIX[item]}-{digits(rng, 4)}",
        "supplier": rng.choice(SUPPLIERS),
        "invoice": f"INV-{digits(rng, 5)}",
        "parcel": f"TRK-{digits(rng, 5)}",
    }


def dialogue(system: str, shots: tuple[tuple[str, str], ...], user: str) -> list[Message]:
    """Build a prompt of a system message, worked examples as turns, and the question."""
    messages: list[Message] = [{"role": "system", "content": system}]
    for question, reply in shots:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return [*messages, {"role": "user", "content": user}]
