"""The contract review task: long prompts, and errors that cost more than the calls."""

from __future__ import annotations

from random import Random

from sample_logs.vocab import Draft, Moment, dialogue, slots

CONTRACT_SYSTEM = (
    "You review supplier contracts for the legal department of Nordwand Outfitters. Read the whole contract and list "
    "every clause that departs from our standard positions: payment within 30 days or later, liability of the supplier "
    "not capped below the order value, warranty of 24 months, termination with 3 months notice, place of jurisdiction "
    "Munich. For each, name the clause, say what it does, and give a risk of low, medium or high. Reply as a numbered "
    "list and close with a recommendation: sign, negotiate or reject."
)

_NONE = ""
CLAUSES = (
    (
        "Subject",
        (
            (
                "The supplier manufactures and delivers outdoor goods to the buyer as set out in the order forms. "
                "Each order form becomes part of this agreement once both parties have signed it. General terms of "
                "either party do not apply, even where a later document refers to them.",
                _NONE,
            ),
        ),
    ),
    (
        "Prices and payment",
        (
            (
                "Prices are fixed for twelve months and include packaging. Invoices are payable within 45 days of "
                "receipt of the goods and of a proper invoice.",
                _NONE,
            ),
            (
                "Prices may be adapted once a quarter to the cost of raw materials. Invoices are payable within {n} "
                "days of the date of the invoice without any deduction, and interest runs from the day after.",
                "payment within {n} days is shorter than 30 days, and prices may rise every quarter. Risk: medium.",
            ),
        ),
    ),
    (
        "Delivery and risk",
        (
            ("Delivery is free to the warehouse in {city}. The risk passes when the goods are unloaded.", _NONE),
            (
                "Delivery is ex works {city}. The risk passes when the carrier takes the goods, and delivery dates "
                "are an estimate that binds nobody.",
                "ex works with no binding dates moves transport risk and delay to us. Risk: medium.",
            ),
        ),
    ),
    (
        "Warranty",
        (
            (
                "The supplier warrants the goods for 24 months from delivery and bears the cost of repair and recall.",
                _NONE,
            ),
            (
                "The warranty period is {n} months from dispatch. Defects must be notified within three days, or all "
                "claims are lost.",
                "warranty of {n} months instead of 24 and a three day notice period. Risk: high.",
            ),
        ),
    ),
    (
        "Liability",
        (
            (
                "Each party is liable under the statutes. Nothing limits liability for injury or gross negligence.",
                _NONE,
            ),
            (
                "The liability of the supplier for any cause is limited to {percent} percent of the value of the "
                "order in question. Loss of profit and recall costs are excluded.",
                "liability capped at {percent} percent of the order value and no recall costs. Risk: high.",
            ),
        ),
    ),
    (
        "Exclusivity",
        (
            ("Neither party is bound to deal with the other exclusively.", _NONE),
            (
                "During the term the buyer obtains goods of this kind from {supplier} only and pays {percent} percent "
                "of the forecast volume in any case.",
                "exclusive purchase with a minimum payment of {percent} percent of the forecast. Risk: high.",
            ),
        ),
    ),
    (
        "Term and termination",
        (
            ("The agreement runs for one year and ends with three months notice to the end of a quarter.", _NONE),
            (
                "The agreement runs for three years and renews itself for two more unless terminated with {n} months "
                "notice.",
                "three year term, automatic renewal and {n} months notice instead of three. Risk: medium.",
            ),
        ),
    ),
    (
        "Data and confidentiality",
        (
            (
                "Both parties keep drawings, prices and personal data secret for five years after the end of the "
                "agreement and return all copies on request.",
                _NONE,
            ),
        ),
    ),
    (
        "Law and jurisdiction",
        (
            ("German law applies. The place of jurisdiction is Munich.", _NONE),
            (
                "The law at the seat of {supplier} applies. Disputes are decided by the courts of {city}.",
                "courts of {city} instead of Munich. Risk: low.",
            ),
        ),
    ),
    (
        "Quality and inspection",
        (
            (
                "The goods match the sealed samples and the data sheets. The supplier tests each batch for seam "
                "strength, water column and colour fastness, keeps the records for three years and shows them on "
                "request. The buyer inspects deliveries for visible defects within ten working days; hidden defects "
                "are notified once they are found.",
                _NONE,
            ),
            (
                "The goods match the samples within the tolerances that are usual in the trade. Tests beyond a visual "
                "check are made at the cost of the buyer. Goods that were cut, sewn on or sold on count as accepted "
                "in every case.",
                "tests at our cost, and resale counts as acceptance. Risk: medium.",
            ),
        ),
    ),
    (
        "Materials and compliance",
        (
            (
                "The supplier uses no fluorinated finishes, names the mills and the tanneries it buys from, and "
                "follows the code of conduct in annex 2. It passes on the same duties to its own suppliers. The "
                "buyer, or an auditor bound to secrecy, may visit the plants once a year with a notice of two weeks.",
                _NONE,
            ),
        ),
    ),
    (
        "Designs and trade marks",
        (
            (
                "Drawings, cuts and moulds that the buyer provides or pays for remain the property of the buyer and "
                "are returned when the agreement ends. The supplier uses the marks of the buyer only to label the "
                "goods and sells no goods that bear them to third parties, surplus and second choice included.",
                _NONE,
            ),
            (
                "Cuts and moulds remain with the supplier, even where the buyer has paid for them. Surplus goods may "
                "be sold to third parties after the labels were removed.",
                "moulds that we paid for stay with the supplier, who may sell surplus goods. Risk: medium.",
            ),
        ),
    ),
    (
        "Recall and insurance",
        (
            (
                "If goods endanger health, both parties agree without delay on warnings and recall. The supplier "
                "bears the cost where the cause lies with it, and keeps product liability insurance of at least five "
                "million EUR per event, which it proves every January by a certificate of the insurer.",
                _NONE,
            ),
        ),
    ),
    (
        "Force majeure",
        (
            (
                "Neither party is liable while events beyond its control prevent performance, such as flood, fire, "
                "embargo or epidemic. It tells the other party at once and takes up performance again as soon as it "
                "can. If the hindrance lasts more than eight weeks, either party may withdraw from the orders "
                "concerned; payments made are returned.",
                _NONE,
            ),
        ),
    ),
    (
        "Final provisions",
        (
            (
                "Changes need text form. If a clause is void, the others stay in force, and the parties replace the "
                "void clause by one that comes close to its purpose. Claims may be assigned only with consent. The "
                "annexes, namely the price list, the code of conduct, the packaging manual and the delivery calendar, "
                "are part of this agreement.",
                _NONE,
            ),
        ),
    ),
)


def contract_draft(rng: Random, moment: Moment) -> Draft:
    """Ask for the review of a contract."""
    values = slots(rng)
    parts, findings = [], []
    for number, (title, variants) in enumerate(CLAUSES, start=1):
        text, finding = rng.choice(variants)
        numbers = {"n": str(rng.choice((5, 10, 14, 21))), "percent": str(rng.choice((10, 25, 40, 50)))}
        parts.append(f"{number}. {title}\n{text}".format(**values, **numbers))
        if finding:
            findings.append(f"Clause {number} ({title}): {finding}".format(**values, **numbers))
    head = f"Supply agreement {moment.ticket} between Nordwand Outfitters GmbH and {values['supplier']}, {moment.day}"
    verdict = "sign" if not findings else "negotiate" if len(findings) < 6 else "reject"
    lines = [f"{index}. {finding}" for index, finding in enumerate(findings, start=1)]
    answer = "\n".join(
        [*(lines or ["No clause departs from the standard positions."]), "", f"Recommendation: {verdict}."]
    )
    return Draft(dialogue(CONTRACT_SYSTEM, (), head + "\n\n" + "\n\n".join(parts)), answer)
