"""When to measure anew: the machine has become slower or faster, and stays so.

Slower counts after seconds, faster after a minute; and each time that going up was followed by coming down again,
going up takes twice as long, up to an hour. So nothing goes to and fro.
"""

from __future__ import annotations

import statistics

WINDOW_S = 5.0
SLOWER, FASTER = 1.4, 0.7
"""Of what a person cost when it was measured."""
SLOWER_FOR, FASTER_FOR = 3, 12
"""Windows in a row."""
HEAT_S = 10.0
"""So long the board says the same of itself before that counts."""
REST_S = 30.0
"""Between two measurements."""
RELAPSE_S = 600.0
"""Coming down so soon after going up was flapping."""
MOST_PATIENCE = 60


class Watch:
    """Looks at what pictures cost; times are monotonic seconds."""

    def __init__(self) -> None:
        self._ratios: list[float] = []
        self._window: float | None = None
        self._slower = self._faster = 0
        self._hot = False
        self._hot_then = False
        """When it was measured last."""
        self._hot_since: float | None = None
        self._last = -REST_S
        self._rose = -RELAPSE_S
        self.patience = 1
        """By how much more slowly than at first it believes that all is well again."""

    def saw(self, t: float, ratio: float | None) -> None:
        """A picture: what a person cost in it, in shares of what was measured; None: nobody was there."""
        if ratio is not None:
            self._ratios.append(ratio)
        if self._window is None:
            self._window = t
        if t - self._window < WINDOW_S:
            return
        if self._ratios:
            middle = statistics.median(self._ratios)
            self._slower = self._slower + 1 if middle > SLOWER else 0
            self._faster = self._faster + 1 if middle < FASTER else 0
        self._ratios, self._window = [], t

    def heat(self, t: float, throttled: bool) -> None:
        """What the board says of itself."""
        if throttled != self._hot or self._hot_since is None:
            self._hot, self._hot_since = throttled, t

    def due(self, t: float) -> bool:
        """Whether it is time to measure anew."""
        if t - self._last < REST_S:
            return False
        since = t if self._hot_since is None else self._hot_since
        held = t - since
        hotter = self._hot and not self._hot_then and held >= HEAT_S
        cooler = not self._hot and self._hot_then and held >= FASTER_FOR * WINDOW_S * self.patience
        return hotter or cooler or self._slower >= SLOWER_FOR or self._faster >= FASTER_FOR * self.patience

    def measured(self, t: float, change: int) -> None:
        """It was measured anew; `change`: to a better rung (1), to a worse one (-1), or none (0)."""
        if change > 0:
            self._rose = t
        elif change < 0 and t - self._rose < RELAPSE_S * self.patience:
            self.patience = min(2 * self.patience, MOST_PATIENCE)
        self._last, self._hot_then = t, self._hot
        self._slower = self._faster = 0
        self._ratios, self._window = [], t
