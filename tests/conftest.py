"""What holds for all tests: figures need no screen, and Hypothesis tries the same examples each time."""

import hypothesis
import matplotlib

# Not the variable MPLBACKEND: the kernels that tests start would inherit it, and show no figures.
matplotlib.use("agg")

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")
