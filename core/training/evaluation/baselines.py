"""Honest baselines: what a simple model, fitted in seconds on the same training rows, makes of the same test rows.

Its strength is chosen by cross-validation on the training rows, so that it is no straw man. scikit-learn fits them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.training.evaluation.bootstrap import Floats

TEXT_BASELINE = "TF-IDF of words and pairs of words, with logistic regression"
IMAGE_BASELINE = "logistic regression on the pixels"
NUMBER_BASELINES = {"mean": "the mean of the training rows", "least squares": "ordinary least squares"}

MOST_TERMS = 50_000
STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # C of logistic regression, the inverse of its penalty
FOLDS = 3
MOST_TO_CHOOSE = 5_000  # rows on which the strength is chosen
MOST_TO_FIT = 100_000  # rows; more change next to nothing of so simple a model
_ITERATIONS = 300

Labels = Sequence[int] | npt.NDArray[np.integer[Any]]


def token_nats(pieces: Sequence[Sequence[int]], tokens: int) -> Floats:
    """[token] nats of each token by how often it occurs in the pieces, each counted once more: a model of frequencies
    alone. tokens: size of the vocabulary."""
    counts = np.bincount(np.concatenate([np.asarray(piece) for piece in pieces]), minlength=tokens) + 1.0
    return np.asarray(-np.log(counts / counts.sum()))


def text_baseline(train_texts: Sequence[str], train_labels: Labels, test_texts: Sequence[str], classes: int) -> Floats:
    """Probabilities [test row, class]: TF-IDF of words and pairs of words, logistic regression.

    train_labels: indexes below `classes`. Raises InvalidInput for any other.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    truth = _indexes(train_labels, classes)
    kept = _kept(len(truth))
    texts = [train_texts[place] for place in kept]
    terms = TfidfVectorizer(
        ngram_range=(1, 2), max_features=MOST_TERMS, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"
    )
    try:
        known = terms.fit_transform(texts)
    except ValueError:  # no text has a word
        return _shares(truth, len(test_texts), classes)
    return _logistic(known, truth[kept], terms.transform(test_texts), classes)


def image_baseline(train_pixels: Any, train_labels: Labels, test_pixels: Any, classes: int) -> Floats:
    """Probabilities [test row, class]: logistic regression on pixels [row, …] in 0 to 1, however they are laid out."""
    from sklearn.preprocessing import StandardScaler

    truth = _indexes(train_labels, classes)
    kept = _kept(len(truth))
    known = np.asarray(train_pixels, dtype=np.float32)[kept]
    scaler = StandardScaler()
    scaled = scaler.fit_transform(known.reshape(len(known), -1))
    asked = np.asarray(test_pixels, dtype=np.float32)
    return _logistic(scaled, truth[kept], scaler.transform(asked.reshape(len(asked), -1)), classes)


def number_baseline(
    train_features: Any,
    train_target: Any,
    test_features: Any,
    kind: Literal["mean", "least squares"] = "least squares",
) -> Floats:
    """Predictions [test row] from features [row, feature]: the mean of the training rows, or least squares."""
    known, target = np.asarray(train_features, dtype=np.float64), np.asarray(train_target, dtype=np.float64)
    asked = np.asarray(test_features, dtype=np.float64)
    if kind == "mean":
        return np.full(len(asked), target.mean())
    centre, spread = known.mean(axis=0), known.std(axis=0)
    spread[spread == 0] = 1.0
    weights, *_ = np.linalg.lstsq((known - centre) / spread, target - target.mean(), rcond=None)
    found: Floats = (asked - centre) / spread @ weights + target.mean()
    return found


def _logistic(known: Any, truth: npt.NDArray[np.intp], asked: Any, classes: int) -> Floats:
    """Fitted on rows of the classes that there are; the others get a probability of 0."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    present = np.unique(truth)
    if len(present) < 2:
        return _shares(truth, asked.shape[0], classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is good enough for a baseline
        model = LogisticRegression(C=_strength(known, truth), max_iter=_ITERATIONS).fit(known, truth)
    found = np.zeros((asked.shape[0], classes))
    found[:, model.classes_] = model.predict_proba(asked)
    return found


def _strength(known: Any, truth: npt.NDArray[np.intp]) -> float:
    """The strength with the least log loss on left-out training rows; the middle one where classes are too small."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    places = np.random.default_rng(0).permutation(len(truth))[:MOST_TO_CHOOSE]
    some = truth[places]
    if np.bincount(some)[np.unique(some)].min() < FOLDS or len(np.unique(some)) < 2:
        return 1.0
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    losses = [
        -cross_val_score(
            LogisticRegression(C=strength, max_iter=_ITERATIONS), known[places], some, cv=folds, scoring="neg_log_loss"
        ).mean()
        for strength in STRENGTHS
    ]
    return STRENGTHS[int(np.argmin(losses))]


def _shares(truth: npt.NDArray[np.intp], rows: int, classes: int) -> Floats:
    """Every row gets the classes' shares of the training rows."""
    shares = np.bincount(truth, minlength=classes) / len(truth)
    return np.tile(shares, (rows, 1))


def _kept(rows: int) -> npt.NDArray[np.intp]:
    order = np.random.default_rng(0).permutation(rows) if rows > MOST_TO_FIT else np.arange(rows)
    return order[:MOST_TO_FIT]


def _indexes(labels: Labels, classes: int) -> npt.NDArray[np.intp]:
    given = np.asarray(labels)
    if not len(given) or given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= classes:
        raise InvalidInput(f"The training labels are {np.unique(given)[:8].tolist()}.", allowed=f"0 to {classes - 1}.")
    return given.astype(np.intp)
