"""The fused Adam: Keras's numbers."""

import keras
import numpy as np

from components.fitting import _Adam


def _trained(optimizer):
    random = np.random.default_rng(2)
    variables = [keras.Variable(random.normal(size=shape)) for shape in [(7, 3), (3,)]]
    optimizer.build(variables)
    for _ in range(5):
        optimizer.apply([random.normal(size=variable.shape) for variable in variables])
    return [np.array(variable) for variable in (*variables, *optimizer.variables)]


def test_steps_are_kerass():
    options = {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.9, "weight_decay": 0.01}
    ours, keras_own = _trained(_Adam(**options)), _trained(keras.optimizers.Adam(**options))
    assert len(ours) == len(keras_own) == 2 + 8  # step, rate; averages, momentums, velocities
    for mine, theirs in zip(ours, keras_own, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)
