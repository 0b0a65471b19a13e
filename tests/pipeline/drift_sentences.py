"""Sentences about films and about products, for what watches drift."""

import random

FILMS = ["film", "story", "plot", "cast", "director", "scene", "ending", "hero"]
PRODUCTS = ["camera", "battery", "lens", "price", "router", "manual", "screen", "cable"]
FILLERS = ["the", "a", "and", "of", "is", "with", "this", "its", "in", "very", "good", "bad"]


def sentences(nouns, rows, seed, longest=12):
    generator = random.Random(seed)
    return [
        " ".join(generator.choices(FILLERS + nouns, k=generator.randint(3, longest)))
        for _ in range(rows)
    ]


def write(path, texts):
    path.write_text("text\n" + "".join(f"{text}\n" for text in texts), "utf-8")
    return str(path)
