"""The command line: the operator's and the learner's commands."""
