"""Text blocks for the tasks in `text_tasks.py`; everything in them is invented."""

from __future__ import annotations

COMPLAINTS = (
    (
        "{name} wants a refund of {amount} EUR for the {item} in {order}",
        "The {item} from {order} came with a torn seam. I paid {amount} EUR and want my money back.",
        "I am sorry. Please send two photos, then we start the refund.",
        "I sent the photos on {date} and nobody has answered since.",
    ),
    (
        "{name} is still waiting for the {item} from {order}, promised for {date}",
        "Order {order} was promised for {date} and the {item} is still not here.",
        "The parcel is stuck in {city}. I asked the carrier to search for it.",
        "It has been four days. Send me a new one or cancel it.",
    ),
    (
        "{name} wants to swap the {item} from {order} for size {size}",
        "The {item} in {order} is too tight. Do you have it in {size}?",
        "Yes, {size} is in {city}. I put one aside for you until {date}.",
        "Great, but who pays for sending the first one back?",
    ),
    (
        "{name} was charged twice for {order}, {amount} EUR each time",
        "My card shows {amount} EUR twice for {order}. Please give one back.",
        "I see the second charge. Finance needs up to five days for it.",
        "The five days are over and the bank has nothing from you.",
    ),
    (
        "{name} got the wrong goods in {order} instead of the {item}",
        "I ordered a {item}, but in {order} there was something else.",
        "We will pick the wrong one up in {city} on {date}.",
        "Nobody came. I cannot stay at home another day for this.",
    ),
    (
        "{name} asks whether the warranty covers the {item} from {order}",
        "After eight months the {item} from {order} leaks. Is that a warranty case?",
        "It should be. The workshop has to look at it, I sent you a label.",
        "The label is for the wrong city, I live in {city}.",
    ),
)
SUMMARY_FRAMES = (
    "{want}. {agent} made a promise that was not kept; the customer expects an answer today.",
    "{want}. First reply by {agent} on ticket {ticket}, but the case is open and the customer is losing patience.",
    "Open: {want}. {agent} has answered once, the next step is on our side.",
    "{want}. After the reply by {agent} the customer wrote again; nothing has been settled yet.",
)
REPLY_STEPS = (
    (
        "Refund of {amount} EUR booked on {date}.",
        "The refund of {amount} EUR was booked on {date} and reaches you within five days.",
    ),
    ("Replacement {item} ships on {date}.", "A new {item} leaves our warehouse on {date}."),
    ("Return label sent.", "The return label is already in your mailbox, so sending the goods back costs you nothing."),
    ("Parcel found in {city}.", "The carrier found your parcel in {city} and delivers it within two days."),
    ("Voucher of 10 EUR ok.", "As a small apology we have added a voucher of 10 EUR to your account."),
    ("Workshop looks at it until {date}.", "Our workshop will look at the {item} and call you by {date}."),
    ("Size {size} reserved until {date}.", "We have put size {size} aside for you until {date}."),
)
REPLY_CLOSINGS = (
    "If anything is unclear, just answer this mail.",
    "Please tell us if we can do more for you.",
    "We hope that you are soon outdoors again.",
    "You can reach us every day until eight in the evening.",
)

PASSAGES = (
    (
        "returns.md",
        "Goods can be sent back within 60 days if they were not used outdoors. The return is free from a shop or with "
        "the label in the parcel. The money comes back within 5 working days after the goods reach the warehouse. "
        "Sale goods are exchanged, not refunded. Climbing ropes and helmets cannot be returned once the seal is "
        "broken.",
        (
            ("How long do I have to send something back?", "You have 60 days, as long as it was not used outdoors."),
            (
                "When do I get my money after a return?",
                "The money comes back within 5 working days after the goods arrive.",
            ),
            ("Can I return a rope that I have opened?", "No, ropes cannot be returned once the seal is broken."),
            ("Do I get money back for sale goods?", "Sale goods can be exchanged, but they are not refunded."),
        ),
    ),
    (
        "delivery.md",
        "Orders placed before 14:00 leave on the same working day. Delivery takes 2 to 3 days inside the country and "
        "4 to 6 days abroad. Shipping is free from 80 EUR, below that it costs 4.90 EUR. Skis and trekking poles over "
        "120 cm travel as bulky goods for 9 EUR. A parcel waits 7 days in the pickup shop.",
        (
            (
                "How much is shipping for a small order?",
                "Below 80 EUR shipping costs 4.90 EUR; from 80 EUR it is free.",
            ),
            ("How long does a delivery abroad take?", "A delivery abroad takes 4 to 6 days."),
            ("How long does the pickup shop keep my parcel?", "The pickup shop keeps it for 7 days."),
            (
                "Does my order leave today if I pay at noon?",
                "Yes, orders placed before 14:00 leave on the same working day.",
            ),
        ),
    ),
    (
        "warranty.md",
        "All tents, backpacks and boots carry a warranty of 24 months, our own brand 36 months. Worn soles, cuts and "
        "bleached fabric are not covered. Send photos and the order number to the workshop. A repair takes about 3 "
        "weeks; if it fails, the goods are replaced. Outside the warranty a zip costs 18 EUR and a new pole 12 EUR.",
        (
            ("How long is the warranty on a backpack?", "It is 24 months, and 36 months for our own brand."),
            ("What does a new zip cost?", "Outside the warranty a new zip costs 18 EUR."),
            ("Are worn soles covered?", "No, worn soles are not covered by the warranty."),
            ("How long does a repair take?", "A repair takes about 3 weeks."),
        ),
    ),
    (
        "rental.md",
        "Tents, stoves and avalanche sets can be rented in the shops in Munich, Graz and Basel. A weekend costs 35 "
        "EUR for a tent and 12 EUR for a stove, every further day 8 EUR. The deposit is 100 EUR. Bring an identity "
        "card. Goods that come back wet cost 15 EUR for drying. Half of the rent counts towards a purchase within 30 "
        "days.",
        (
            (
                "What does a tent cost for a weekend?",
                "A tent costs 35 EUR for a weekend, and 8 EUR for every further day.",
            ),
            ("How high is the deposit?", "The deposit is 100 EUR."),
            ("Can I rent in Graz?", "Yes, you can rent in Graz, and also in Munich and Basel."),
            ("Can I give the tent back wet?", "You can, but drying costs 15 EUR."),
        ),
    ),
)

CHAT_TOPICS = (
    (
        "can you help me plan the christmas shift for the {city} store? we are {first} and four others",
        "Sure. Which days are open, and is there anyone who cannot work on the 24th?",
        "open until 2pm on the 24th, {first} is off that week",
        "Then I would put three people on the 24th from 8 to 14 and two on each of the other days. Shall I write it "
        "as a table?",
    ),
    (
        "whats a nice name for our newsletter about winter hiking",
        "How about Snow Line, First Tracks or The Cold Mile?",
        "something shorter",
        "Frost, Ridge or Drift.",
        "and a subject line for issue one about the {item}",
        "Ridge #1: the {item} that survived our worst weekend",
    ),
    (
        "my excel formula shows an error when the stock is empty, it is B2 divided by C2",
        "Wrap it: =IFERROR(B2/C2, 0) shows 0 instead of the error.",
        "perfect, and rounded to two digits?",
        "=IFERROR(ROUND(B2/C2, 2), 0)",
    ),
    (
        "how do i tell a supplier politely that the {item} samples were bad",
        "Name two or three facts, thank them for the speed and ask for a new sample by {date}.",
    ),
    (
        "is it supplier's or suppliers' if we talk about several of them",
        "For several suppliers it is suppliers', with the apostrophe after the s.",
    ),
)

PRODUCT_LINES = (
    ("Light tent for two, {weight} g, with two doors.", "Leichtes Zelt für zwei, {weight} g, mit zwei Eingängen."),
    ("Warm sleeping bag, {weight} g, down to minus 5 degrees.", "Warmer Schlafsack, {weight} g, bis minus 5 Grad."),
    ("Robust backpack, {weight} g, with rain cover.", "Robuster Rucksack, {weight} g, mit Regenhülle."),
    (
        "Gas stove, {weight} g, boils a litre in three minutes.",
        "Gaskocher, {weight} g, kocht einen Liter in drei Minuten.",
    ),
)
