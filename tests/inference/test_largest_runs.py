import numpy as np
import pandas as pd

from bitlaw.inference.draws import points_frame
from bitlaw.inference.largest_runs import largest_runs


def frame_of(sizes: list[float], copies: int = 1) -> pd.DataFrame:
    names = [f"r{i}c{copy}" for i in range(len(sizes)) for copy in range(copies)]
    return points_frame(run_id=names, n_params=np.repeat(sizes, copies), tokens=1e9)


def test_a_fifth_of_the_runs_is_held_out_largest_first():
    frame = frame_of(list(np.random.default_rng(0).permutation(np.geomspace(1e6, 1e9, 30))))
    held_out = largest_runs(frame)
    assert len(held_out) == 6
    assert frame["n_params"].iloc[held_out].min() > frame["n_params"].drop(held_out).max()
    with_post = pd.concat([frame, frame.assign(bits_post=4.0)], ignore_index=True)
    np.testing.assert_array_equal(largest_runs(with_post), held_out)


def test_whole_cells_are_held_out():
    held_out = largest_runs(frame_of([1e6, 1e7, 1e8, 1e9, 1e10], copies=4))
    assert held_out.tolist() == [16, 17, 18, 19]
    assert len(largest_runs(frame_of([1e6, 1e7, 1e8, 1e9], copies=2))) == 4


def test_at_least_three_and_at_most_half_of_the_runs_are_held_out():
    assert len(largest_runs(frame_of([1e6, 1e7, 1e8, 1e9, 1e10, 1e11]))) == 3
    assert len(largest_runs(frame_of([1e6, 1e7, 1e8, 1e9]))) == 0
    assert len(largest_runs(frame_of([1e6, 1e9], copies=5))) == 5
    assert len(largest_runs(frame_of([1e6], copies=8))) == 0
