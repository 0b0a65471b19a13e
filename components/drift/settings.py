"""The settings of the watch for drift."""

from pydantic import Field, PositiveInt

from components.settings import Fraction, Section


class DriftSettings(Section):
    """When new text counts as different from what the model was evaluated on (docs/drift.md).

    The thresholds are for what is measured over what chance explains in samples of this size.
    """

    min_rows: PositiveInt = Field(200, description="sentences; fewer are not judged")
    max_rows: PositiveInt = Field(20_000, description="sentences that are compared, the newest")
    length: Fraction = Field(0.05, description="Kolmogorov-Smirnov distance of the tokens' number")
    unknown: Fraction = Field(0.03, description="difference in the share of unknown tokens")
    labels: Fraction | None = Field(
        None, description="largest difference of a label's share; null: as schema.pbtxt has it"
    )
    confidence: Fraction = Field(0.05, description="Kolmogorov-Smirnov distance")
    words: Fraction = Field(0.03, description="Jensen-Shannon divergence of the words, bits")
    listed_words: PositiveInt = Field(20, description="that rose and that fell most")
