"""An LSTM that trains faster on a CPU than Keras's: the same weights, the same numbers."""

import itertools

import keras
import tensorflow as tf
from keras import layers

from components.threads import LANES

CLOSED = -1e4  # added to a gate's input: its sigmoid is 0 exactly, in float16 too


@keras.saving.register_keras_serializable("sentiflow")
class FastLSTM(layers.LSTM):
    """`keras.layers.LSTM` with its gradient written out; first derivatives only.

    Automatic differentiation keeps every step's intermediate results and multiplies a pair of
    weight gradients in every step. Here the products that do not depend on the step before, which
    are half of all, are one large product for the whole batch.

    Rows may be padded on the right only. Outputs where there is padding mean nothing.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Runs over the steps; Keras's RNN calls it.

        Args:
          sequences: float [batch, length, features].
          initial_state: not used: it is zero.
          mask: bool [batch, length], or None if there is no padding.
          training: not used: there is no dropout inside.

        Returns:
          The last state [batch, units], all states [batch, length, units] in the order in which
          they came, and no further states.
        """
        weights = [tf.convert_to_tensor(weight) for weight in self.cell.weights]
        paddings = [None] * LANES
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
            if mask is not None:  # comes first: closed gates keep the state at zero
                paddings = _lanes(tf.cast(tf.reverse(~mask, [1]), sequences.dtype) * CLOSED)
        lanes = zip(_lanes(sequences), paddings, strict=True)
        states = tf.concat([_states(*lane, *weights) for lane in lanes], axis=0)
        if mask is None or self.go_backwards:
            return states[:, -1], states, []
        lengths = tf.math.count_nonzero(mask, axis=1, dtype=tf.int32)
        return tf.gather(states, lengths - 1, batch_dims=1), states, []


def _lanes(rows) -> list:
    """`rows` [batch, …] in LANES parts of about the same size; some are empty in a small batch."""
    ends = [tf.shape(rows)[0] * lane // LANES for lane in range(LANES + 1)]
    return [rows[start:end] for start, end in itertools.pairwise(ends)]


def _states(x, padding, kernel, recurrent_kernel, bias):
    """Computes the states [batch, length, units] of an LSTM that starts at zero.

    Args:
      x: float [batch, length, features].
      padding: float [batch, length], added to the inputs of all gates; or None.
      kernel: float [features, 4 * units], the gates in Keras's order.
      recurrent_kernel: float [units, 4 * units].
      bias: float [4 * units].
    """
    units, features = recurrent_kernel.shape[0], kernel.shape[0]
    batch, length = tf.shape(x)[0], tf.shape(x)[1]
    zeros = tf.zeros([batch, units], x.dtype)

    def steps(width, values=None):
        array = tf.TensorArray(x.dtype, size=length, element_shape=[None, width])
        return array if values is None else array.unstack(values)

    @tf.custom_gradient
    def run(x, kernel, recurrent_kernel, bias):
        rows = tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, features])  # [length * batch, features]
        inputs = tf.matmul(rows, _sigmoids_first(kernel)) + _sigmoids_first(bias)
        inputs = tf.reshape(inputs, [length, batch, 4 * units])
        if padding is not None:
            inputs += tf.transpose(padding)[:, :, None]
        inputs = steps(4 * units, inputs)
        recurrent = _sigmoids_first(recurrent_kernel)

        def forward(t, h, c, hs, cs, gates):
            z = inputs.read(t) + tf.matmul(h, recurrent)  # [batch, 4 * units]
            sigmoids, candidate = tf.sigmoid(z[:, : 3 * units]), tf.tanh(z[:, 3 * units :])
            i, f, o = tf.split(sigmoids, 3, axis=1)  # [batch, units] each
            c = f * c + i * candidate
            h = o * tf.tanh(c)
            gates = gates.write(t, tf.concat([sigmoids, candidate], axis=1))
            return t + 1, h, c, hs.write(t, h), cs.write(t, c), gates

        start = (0, zeros, zeros, steps(units), steps(units), steps(4 * units))
        *_, hs, cs, gates = tf.while_loop(
            lambda t, *_: t < length, forward, start, maximum_iterations=length
        )
        hs, cs, gates = hs.stack(), cs.stack(), gates.stack()  # [length, batch, …]

        def gradient(upstream):
            dhs = steps(units, tf.transpose(upstream, [1, 0, 2]))
            cells, befores = steps(units, cs), steps(units, _shifted(cs, zeros))
            gate_steps = steps(4 * units, gates)
            transposed = tf.transpose(recurrent)  # [4 * units, units]

            def backward(t, dh, dc, dzs):
                i, f, o, candidate = tf.split(gate_steps.read(t), 4, axis=1)
                dh += dhs.read(t)
                tanh_c = tf.tanh(cells.read(t))
                dc += tf.raw_ops.TanhGrad(y=tanh_c, dy=dh * o)
                dz = tf.concat(
                    [
                        tf.raw_ops.SigmoidGrad(y=i, dy=dc * candidate),
                        tf.raw_ops.SigmoidGrad(y=f, dy=dc * befores.read(t)),
                        tf.raw_ops.SigmoidGrad(y=o, dy=dh * tanh_c),
                        tf.raw_ops.TanhGrad(y=candidate, dy=dc * i),
                    ],
                    axis=1,
                )
                return t - 1, tf.matmul(dz, transposed), dc * f, dzs.write(t, dz)

            *_, dzs = tf.while_loop(
                lambda t, *_: t >= 0,
                backward,
                (length - 1, zeros, zeros, steps(4 * units)),
                maximum_iterations=length,
            )
            dz = tf.reshape(_keras_order(dzs.stack()), [-1, 4 * units])  # [length * batch, …]
            dx = tf.reshape(tf.matmul(dz, kernel, transpose_b=True), [length, batch, features])
            before = tf.reshape(_shifted(hs, zeros), [-1, units])
            return (
                tf.transpose(dx, [1, 0, 2]),
                tf.matmul(rows, dz, transpose_a=True),
                tf.matmul(before, dz, transpose_a=True),
                tf.reduce_sum(dz, axis=0),
            )

        return tf.transpose(hs, [1, 0, 2]), gradient

    return run(x, kernel, recurrent_kernel, bias)


def _sigmoids_first(weights):
    """From Keras's order of the gates i, f, candidate, o to i, f, o, candidate."""
    i, f, candidate, o = tf.split(weights, 4, axis=-1)
    return tf.concat([i, f, o, candidate], axis=-1)


_keras_order = _sigmoids_first  # it swaps the last two


def _shifted(steps, first):
    """What was there one step before."""
    return tf.concat([first[None], steps[:-1]], axis=0)
