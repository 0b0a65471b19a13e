"""Two sets of vectors side by side."""

import numpy as np

from benchmarks.joint_vectors import join


def test_words_of_the_second_set_stand_beside_those_of_the_first():
    first = np.array([[1, -1], [3, -3], [5, -5]], np.float32)
    joint = join(first, ["a", "b", "c"], {"c": [2.0], "a": [-2.0], "other": [9.0]})
    assert joint.dtype == np.float32
    np.testing.assert_allclose(joint[:, :2], first / first.std(), rtol=1e-6)
    np.testing.assert_allclose(joint[:, 2], [-1, 0, 1], rtol=1e-6)
