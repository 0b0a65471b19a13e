"""What `make demo` needs besides the sentiflow command: its sentences, and three questions."""

import csv
import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from components.serving.client import predict_rest
from components.serving.process import start_server_process
from pipeline.config import Config

ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
RATINGS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
NEUTRAL = 0.5  # mean human ratings nearer to 0 than this, on a scale from -4 to 4, are left out
START_SECONDS = 120
QUESTIONS = (
    "A warm, witty and beautifully acted film.",
    "Two hours of my life that I'll never get back.",
    "The plot is dull, and the acting is even worse.",
)


def rated_snippets(sdist: Path) -> Iterator[tuple[str, str]]:
    """Yields (label, text) of the film reviews in vaderSentiment's source release.

    Source: Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
    Social Media Text", ICWSM 2014; 10,605 snippets, each rated by 20 people.
    """
    with tarfile.open(sdist) as outer:
        name = next(member for member in outer.getnames() if member.endswith(ARCHIVE))
        with tarfile.open(fileobj=outer.extractfile(name)) as inner:
            ratings = inner.extractfile(RATINGS)
            assert ratings, f"{RATINGS} is a folder"
            rows = io.StringIO(ratings.read().decode("utf-8"))
            for _, rating, text in csv.reader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
                if abs(float(rating)) >= NEUTRAL:
                    yield ("positive" if float(rating) > 0 else "negative"), text


def write_sentences(download_dir: Path, output: Path) -> None:
    """Writes the demo's data as a TSV file with a header."""
    (sdist,) = download_dir.glob("*.tar.gz")
    rows = list(rated_snippets(sdist))
    lines = ["label\ttext", *(f"{label}\t{text}" for label, text in rows)]
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(rows)} sentences in {output}")


def ask(workdir: Path) -> None:
    """Serves what the run pushed, asks three sentences over REST, prints the answers, stops."""
    model_name = Config().serving.model_name
    with start_server_process(workdir / "serving", model_name, START_SECONDS) as server:
        print(f"POST {server.rest_url}:predict")
        for answer in predict_rest(server.rest_url, QUESTIONS):
            print(f"  {answer.label:8} {answer.probabilities[answer.label]:.3f}  {answer.text}")
    print("the server is stopped; start it again with:")
    print(f"  .venv/bin/sentiflow serve --workdir {workdir}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sentences", download_dir, output]:
            write_sentences(Path(download_dir), Path(output))
        case ["ask", workdir]:
            ask(Path(workdir))
