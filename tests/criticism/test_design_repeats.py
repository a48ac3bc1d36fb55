import numpy as np

from bitlaw.criticism.design_repeats import is_repeated, repeat_findings
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from bitlaw.laws.registry import load_law

LAW = load_law("coupled")
SIZES = 1e7 * 2.0 ** np.arange(10)


def runs(sizes, **columns):
    ids = [f"r{i}" for i in range(len(sizes))]
    return points_frame(run_id=ids, n_params=sizes, tokens=20 * np.asarray(sizes), **columns)


def only(frame, law=LAW):
    (finding,) = repeat_findings(law, frame)
    return finding


def test_no_run_is_repeated():
    finding = only(runs(SIZES))
    assert (finding.status, finding.value, finding.threshold) == (Status.WARN, 0.0, 1.0)
    assert finding.message == (
        "None of the 2 largest runs is repeated at its size and precision; nor is any other, so noise "
        "between runs cannot be told from misfit of the law."
    )


def test_repeats_of_small_runs_do_not_speak_for_large_ones():
    finding = only(runs([*SIZES, SIZES[0], SIZES[0]]))
    assert finding.status == Status.WARN
    assert "3 smaller runs are" in finding.message


def test_a_repeated_largest_run_passes():
    finding = only(runs([*SIZES, SIZES[-1]]))
    assert (finding.status, finding.value) == (Status.PASS, 2.0)
    assert finding.message == "Of the 2 largest runs, 2 are repeated at the same size and precision."


def test_few_runs_have_one_largest():
    assert only(runs(SIZES[:2])).message.startswith("The largest run is not repeated")


def test_another_precision_corpus_or_method_is_no_repeat():
    twice = [1e8, 1e8]
    assert is_repeated(runs(twice)).all()
    for columns in ({"bits_weights": [16.0, 4.0]}, {"corpus": ["c4", "web"]}, {"method": ["", "lsq"]}):
        assert not is_repeated(runs(twice, **columns)).any()


def test_rows_after_training_are_no_repeats():
    frame = runs([1e8, 1e8], bits_post=[np.nan, 4.0]).assign(run_id="one")
    assert only(frame).status == Status.WARN


def test_losses_taken_as_data_have_no_noise_between_runs():
    assert repeat_findings(load_law("ptq-gap"), runs(SIZES)) == ()
