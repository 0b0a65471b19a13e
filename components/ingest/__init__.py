"""SentenceExampleGen: from labelled files to checked, split tf.Examples, and rejected rows."""
