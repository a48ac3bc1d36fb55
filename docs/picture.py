"""Draw the README's picture from the demo's fits: ``python docs/picture.py reports/tiny_sweep/*.nc``."""

import sys
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from bitlaw import load_fit
from bitlaw.decisions.asked import asked_about
from bitlaw.reporting.answers import answers_of_several
from bitlaw.reporting.figures import post_training_options, precision_options


def main() -> None:
    """Write ``docs/tiny_sweep.png``: what to train in above what to quantize to."""
    fits = [load_fit(path) for path in sys.argv[1:]]
    answers, _ = answers_of_several(fits, asked_about(fits[0]))
    figures = (
        precision_options.figure(answers.precision_fixed, answers.precision_free),
        post_training_options.figure(answers.post_training),
    )
    pictures = []
    for figure in figures:
        figure.set_dpi(160)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    width = max(picture.width for picture in pictures)
    page = Image.new("RGB", (width, sum(picture.height for picture in pictures)), "white")
    top = 0
    for picture in pictures:
        page.paste(picture, (0, top))
        top += picture.height
    page.save(Path(__file__).with_name("tiny_sweep.png"), optimize=True)


if __name__ == "__main__":
    main()
