"""Adam whose work in a step grows with the words of the batch, not with those of the vocabulary."""

import keras
import tensorflow as tf

raw = tf.raw_ops


class RowAdam(keras.optimizers.Adam):
    """Adam in TensorFlow's fused operation; of a table of words it changes the rows in the batch.

    Keras's Adam makes eight passes over every weight, and as many temporary copies: with thousands
    of words, of which a batch has hundreds, more work than the LSTM. A row that is not in the batch
    stays as it is here: its moments do not decay, and it does not drift on along the first one. Its
    moving average is that of a constant, and is brought up to date when the row is next looked at.

    Without averages overwriting the weights at the end of fit(): training goes on from the weights.

    Args:
      table: the words' variable [words, dimension].
      given: as Keras's Adam takes it.
    """

    def __init__(self, table: keras.Variable, **given):
        super().__init__(**given)
        self._table_of = lambda: table  # Keras would take a plain attribute for the optimizer's own
        self.exclude_from_weight_decay([table])  # it would move all rows

    def build(self, variables):
        """As Keras's; adds the step in which each row's average was last brought up to date."""
        if self.built:
            return
        super().build(variables)
        table = self._table_of()
        self._table_index = self._get_variable_index(table)
        if self.use_ema:
            # A float, since no GPU scatters integers; exact up to 16 million steps.
            words = table.shape[0]
            self._updated = self.add_variable((words,), "zeros", "float32", name="updated")
            self._model_variables_moving_average[self._table_index].assign(table)

    def apply(self, grads, trainable_variables=None):
        """As Keras's.

        Clipping, and MirroredStrategy's sum over devices whose batches have different numbers of
        words, need the table's gradient as a matrix.
        """
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if replicas > 1 or self.global_clipnorm:
            grads = [tf.convert_to_tensor(gradient) for gradient in grads]
        return super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        """As Keras's, with the same formula."""
        index = self._get_variable_index(variable)
        if index == self._table_index:
            rows, of_rows = _rows(gradient)
            self._update_rows(rows, of_rows, variable, learning_rate)
            return
        step = tf.cast(self.iterations + 1, variable.dtype)
        raw.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )

    def _update_rows(self, rows, gradient, variable, learning_rate):
        """Adam, and the moving average, of some rows.

        Args:
          rows: int [n], each once.
          gradient: float [n, dimension].
          variable: float [words, dimension].
          learning_rate: float.
        """
        index, step = self._table_index, tf.cast(self.iterations + 1, variable.dtype)
        first, second = self._momentums[index].value, self._velocities[index].value
        m = self.beta_1 * _read(first, rows) + (1 - self.beta_1) * gradient
        v = self.beta_2 * _read(second, rows) + (1 - self.beta_2) * tf.square(gradient)
        rate = learning_rate * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        before = _read(variable, rows)
        after = before - rate * m / (tf.sqrt(v) + self.epsilon)
        _write(first, rows, m)
        _write(second, rows, v)
        _write(variable, rows, after)
        if self.use_ema:
            average = self._model_variables_moving_average[index].value
            passed = step - 1 - _read(self._updated.value, rows)
            old = self._caught_up(_read(average, rows), before, passed)
            _write(average, rows, old + (1 - self._momentum(after.dtype)) * (after - old))
            _write(self._updated.value, rows, tf.fill(tf.shape(rows), step))

    def _caught_up(self, average, weights, steps):
        """The moving average after so many further steps in which the weights did not change.

        Args:
          average: float [n, dimension].
          weights: float [n, dimension].
          steps: float [n].
        """
        momentum = tf.pow(self.ema_momentum, steps)
        return weights + momentum[:, None] * (average - weights)

    def _momentum(self, dtype):
        """Of the averages; in the first step they become the weights."""
        return tf.cast(self.iterations > 0, dtype) * self.ema_momentum

    def _update_model_variables_moving_average(self, trainable_variables):
        """As Keras's, in one operation for each variable but the table."""
        for variable, average in zip(
            trainable_variables, self._model_variables_moving_average, strict=True
        ):
            if variable is not self._table_of():
                raw.ResourceApplyGradientDescent(
                    var=average.value.handle,
                    alpha=1 - self._momentum(variable.dtype),
                    delta=average - variable,
                )

    def finalize_variable_values(self, var_list):
        """Does nothing: fit() calls it, and training goes on from the weights, not the averages."""

    def use_averages(self, variables):
        """Assigns the moving averages to the variables."""
        average = self._model_variables_moving_average[self._table_index]
        step = tf.cast(self.iterations, self._updated.dtype)
        weights = self._table_of().value
        average.assign(self._caught_up(average.value, weights, step - self._updated))
        self._updated.assign(tf.fill(self._updated.shape, step))
        super().finalize_variable_values(variables)


def _rows(gradient):
    """The rows of a table's gradient that are not zero, each once, and their gradients."""
    if isinstance(gradient, tf.IndexedSlices):
        rows, positions = tf.unique(gradient.indices)
        return rows, tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(rows))
    rows = tf.where(tf.reduce_any(gradient != 0, axis=1))[:, 0]
    return rows, tf.gather(gradient, rows)


def _read(variable, rows):
    return raw.ResourceGather(resource=variable.handle, indices=rows, dtype=variable.dtype)


def _write(variable, rows, values):
    raw.ResourceScatterUpdate(resource=variable.handle, indices=rows, updates=values)
