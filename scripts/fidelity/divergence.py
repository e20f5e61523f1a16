# SPDX-License-Identifier: GPL-2.0
"""How far an engine's distributions are from the true ones."""

import numpy


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - numpy.log(numpy.exp(shifted).sum(-1, keepdims=True))


class Divergence:
    """Collects positions of one engine."""

    def __init__(self):
        self.divergences, self.same, self.likelihoods = [], [], []

    def add(self, truth, logits, targets):
        """Logits [positions, vocabulary] of the truth and of the engine; `targets` are the ids at all positions but the first."""
        truth, found = log_softmax(truth), log_softmax(logits.astype(numpy.float64))
        self.divergences.append((numpy.exp(truth) * (truth - found)).sum(-1))
        self.same.append(truth.argmax(-1) == found.argmax(-1))
        self.likelihoods.append(numpy.take_along_axis(found[:-1], targets[:, None], -1)[:, 0])

    def result(self):
        """Kullback-Leibler divergence from the truth in nats, its mean and 99.9 % quantile; share of positions with the same best
        token; mean negative log-likelihood of the text."""
        divergences = numpy.concatenate(self.divergences)
        return {"positions": divergences.size, "kl": divergences.mean(), "kl_999": numpy.quantile(divergences, 0.999),
                "top1": numpy.concatenate(self.same).mean(), "nll": -numpy.concatenate(self.likelihoods).mean()}


def difference(one, other):
    """Mean of what `one` diverges more than `other` at the same position, and its standard error."""
    pairs = numpy.concatenate(one.divergences) - numpy.concatenate(other.divergences)
    return {"kl": pairs.mean(), "error": pairs.std() / pairs.size ** 0.5}


def agreement(found, wanted):
    """Mean share of a greedy answer before its first other token; both [sequences, tokens]."""
    return numpy.logical_and.accumulate(found == wanted, 1).mean()
