"""How Hypothesis looks for what is wrong where an example costs much: a history on a database, or through servers."""

from hypothesis import Phase

# To make a failing example smaller takes hundreds of others, which is minutes: it is shown as it was found.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
