"""PyTorch's packed LSTM of the same size, trained on batches made by `benchmarks.training`.

Runs in an environment of its own, which has only PyTorch and NumPy. For each line on its standard
input it trains for one epoch and answers with a line of JSON: sentences, seconds, CPU seconds.

    python benchmarks/torch_lstm.py BATCHES.npz --words N --classes N --embedding-dim N --units N
"""

import argparse
import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.utils import rnn


class Classifier(nn.Module):
    """Embedding -> LSTM on packed rows -> largest state -> dense, with the default's dropouts."""

    def __init__(self, words: int, classes: int, embedding_dim: int, units: int):
        super().__init__()
        self.embedding = nn.Embedding(words, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, units, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Linear(units, classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """From ids [batch, length], padded on the right, to logits [batch, classes]."""
        x = self.dropout(self.embedding(ids))
        packed = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        states, _ = rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, padding_value=-1.0
        )
        return self.dense(self.dropout(states.max(dim=1).values))  # a state is over -1


def main() -> None:
    """Trains for an epoch whenever it is asked to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("batches")
    for name in ("words", "classes", "embedding-dim", "units"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Classifier(options.words, options.classes, options.embedding_dim, options.units)
    model = model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    with np.load(options.batches) as arrays:
        batches = [
            (torch.from_numpy(arrays[f"ids{i}"]), torch.from_numpy(arrays[f"label_ids{i}"]))
            for i in range(len(arrays.files) // 2)
        ]
    for _ in sys.stdin:
        start, cpu_start = time.perf_counter(), time.process_time()
        for ids, label_ids in batches:
            optimizer.zero_grad()
            lengths = (ids != 0).sum(dim=1)  # on the CPU, where packing wants them
            loss = loss_of(model(ids.to(device), lengths), label_ids.to(device))
            loss.backward()
            optimizer.step()
        loss.item()  # waits for the GPU
        print(
            json.dumps(
                {
                    "sentences": sum(len(ids) for ids, _ in batches),
                    "seconds": time.perf_counter() - start,
                    "cpu_seconds": time.process_time() - cpu_start,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
