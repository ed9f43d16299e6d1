"""How often does a rule move a task wrongly, and what does it cost to find the good ones? One seeded run, one table.

    python benchmarks/evidence.py

Three rules on the same simulated replays: a point estimate on 30 replays (what typical tools do), a Wilson interval
looked at after every replay (what dashboards do), and the e-process that tieraudit uses, looked at after every replay
too. The candidate must agree in 92 % of calls to be as good as allowed; at most 600 replays a task.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from tieraudit.evidence.betting import log_path
from tieraudit.evidence.draws import Floats

BAR, ALPHA, CAP, RUNS, SEED = 0.92, 0.05, 600, 4_000, 20261121
TRUE = (0.99, 0.97, 0.95, 0.92, 0.90)
Ending = tuple[NDArray[np.bool_], Floats]
"""(accepted, replays used) of each run."""


def point_estimate(agreed: NDArray[np.bool_]) -> Ending:
    """Accept when the share of agreement in 30 replays reaches the bar."""
    return agreed[:, :30].mean(axis=1) >= BAR, np.full(len(agreed), 30.0)


def wilson_peeking(agreed: NDArray[np.bool_]) -> Ending:
    """Accept as soon as the lower end of a one-sided 95 % Wilson interval exceeds the bar, from 30 replays on."""
    n = np.arange(1, CAP + 1)
    share = np.cumsum(agreed, axis=1) / n
    z = 1.6449
    middle = share + z * z / (2 * n)
    width = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    reached = ((middle - width) / (1 + z * z / n) > BAR) & (n >= 30)
    return _first(reached)


def e_process(agreed: NDArray[np.bool_]) -> Ending:
    """Accept as soon as one dollar has become 1/alpha, from 30 replays on."""
    return _first((log_path(agreed.astype(float), BAR) >= np.log(1 / ALPHA)) & (np.arange(1, CAP + 1) >= 30))


RULES = {
    "point estimate, n = 30": point_estimate,
    "Wilson, after every replay": wilson_peeking,
    "tieraudit, after every replay": e_process,
}


def main() -> None:
    """Print the share of tasks moved and the mean number of replays, by true agreement."""
    rng = np.random.default_rng(SEED)
    replays = {true: rng.random((RUNS, CAP)) < true for true in TRUE}
    head = "".join(f"{f'true {true:.0%}':>16}" for true in TRUE)
    print(f"bar {BAR:.0%}, {RUNS:,} tasks each: share moved / mean replays\n{'':32}{head}")
    wrong = {}
    for name, rule in RULES.items():
        found = {true: rule(agreed) for true, agreed in replays.items()}
        cells = "".join(f"{accepted.mean():>8.1%} /{used.mean():>6.0f}" for accepted, used in found.values())
        wrong[name] = found[BAR][0].mean()
        print(f"{name:32}{cells}")
    ours = wrong["tieraudit, after every replay"]
    for name, share in wrong.items():
        versus = f"{share / ours:.1f} x ours, {ALPHA:.0%} promised"
        print(f"at the bar, where moving is wrong: {name:32}{share:6.1%}  ({versus})")
    sys.exit(0 if ours <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / RUNS) else 1)


def _first(reached: NDArray[np.bool_]) -> Ending:
    accepted = np.asarray(reached.any(axis=1))
    return accepted, np.where(accepted, reached.argmax(axis=1) + 1.0, float(CAP))


if __name__ == "__main__":
    main()
