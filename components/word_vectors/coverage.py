"""What is told of word vectors: how well they cover a corpus, and what was odd in their file."""

from pydantic import BaseModel


class Coverage(BaseModel):
    """How many of the corpus's words the vectors know, and what was odd in their file."""

    types: int  # of the vocabulary of train
    types_known: int
    tokens: int  # their occurrences in train
    tokens_known: int
    missing: list[tuple[str, int]]  # the most frequent unknown words, with their occurrences
    extra_words: int  # words of the vectors that train lacks, in the vocabulary too
    read: int  # words read from the vectors
    duplicates: int  # second vectors of a kept word, not used
    not_utf8: int  # words that are not UTF-8, not used
    words_with_spaces: int  # not used
    subword_dim: int = 0  # numbers that each word has of its pieces, besides

    def in_words(self) -> str:
        """One line for a person."""
        missing = ", ".join(word for word, _ in self.missing[:5])
        odd = {
            "second vectors": self.duplicates,
            "words not UTF-8": self.not_utf8,
            "words with spaces": self.words_with_spaces,
        }
        left = [f"{count:,} {what}" for what, count in odd.items() if count]
        return (
            f"{self.types_known:,} of {self.types:,} words known "
            f"({self.tokens_known / max(self.tokens, 1):.1%} of the tokens".replace("%", " %")
            + (f"; not {missing}" if missing else "")
            + f"), {self.extra_words:,} more added"
            + (f", {self.subword_dim} numbers of sub-words each" if self.subword_dim else "")
            + (f"; left aside: {', '.join(left)}" if left else "")
        )
