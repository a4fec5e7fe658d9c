"""The rows of the table of actions: what a person can do in the main window."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from inspector_gui.core.method_options import DEFAULT
from inspector_gui.core.types import Purpose, Verdict
from inspector_gui.ui.actions import ActionSpec
from inspector_gui.ui.method_words import METHOD_WORDS, TRAINED

if TYPE_CHECKING:
    from inspector_gui.ui.main_window import MainWindow

BACKBONE_NAMES = (
    "efficientnet_lite0",
    "efficientnet_lite1",
    "efficientnet_lite2",
    "resnet18",
    "resnet50",
    "resnet101",
    "resnet152",
    "wide_resnet50_2",
)


def action_table(window: MainWindow) -> Iterator[ActionSpec]:
    """Yield the rows in the order of the menus."""
    spec, tr = ActionSpec, window.tr
    file, reference, feed = tr("&File"), tr("&Reference"), tr("F&eed")
    review, view, recipe, help_ = tr("Re&view"), tr("&View"), tr("Re&cipe"), tr("&Help")
    r, h, f, v = window.references, window.heatmap, window.feed, window.review
    yield spec(
        "open", file, tr("Open workspace…"), "Ctrl+O", tr("Open another workspace folder"),
        window.choose_workspace,
    )  # fmt: skip
    yield spec(
        "check", file, tr("Check pictures…"), "Ctrl+K", tr("Judge pictures ad hoc"),
        window.choose_pictures,
    )  # fmt: skip
    yield spec(
        "paste", file, tr("Check what is on the clipboard"), "Ctrl+V",
        tr("Judge the picture or files on the clipboard"), h.paste,
    )  # fmt: skip
    yield spec(
        "quit", file, tr("Quit"), "Ctrl+Q", tr("Close the program"), window.close, separate=True
    )
    yield spec("new", reference, tr("New set…"), "Ctrl+N", tr("Create a set"), r.edit_new_name)
    yield spec("rename", reference, tr("Rename set…"), "", tr("Rename this set"), r.edit_rename)
    yield spec(
        "duplicate", reference, tr("Duplicate set…"), "", tr("Copy this set"), r.edit_duplicate
    )
    yield spec(
        "delete", reference, tr("Delete set"), "", tr("Delete this set; can be undone"),
        r.delete_set,
    )  # fmt: skip
    yield spec(
        "add_images", reference, tr("Add images…"), "Ctrl+I",
        tr("Add pictures of good parts"), r.choose_images, separate=True,
    )  # fmt: skip
    yield spec(
        "add_folder", reference, tr("Add folder…"), "Ctrl+Shift+I",
        tr("Add a folder of pictures of good parts"), r.choose_folder,
    )  # fmt: skip
    yield spec(
        "add_video", reference, tr("Add video…"), "",
        tr("Add frames of a video, evenly spread, as references"), r.choose_video,
    )  # fmt: skip
    yield spec(
        "add_frames", reference, tr("Add some frames of a folder…"), "",
        tr("Add that many pictures of a folder, evenly spread"), r.choose_frames,
    )  # fmt: skip
    for purpose, text, key in (
        (Purpose.REFERENCE, tr("Reference good"), "1"),
        (Purpose.VALIDATION, tr("Validation good"), "2"),
        (Purpose.BAD, tr("Known bad"), "3"),
    ):
        yield spec(
            f"purpose_{key}", f"{reference}/{tr('Purpose')}", text, "",
            tr("Let the selected pictures serve this purpose (key {} in the grid)").format(key),
            partial(r.set_purpose_of_selected, purpose),
        )  # fmt: skip
    yield spec(
        "exclude", reference, tr("Exclude"), "", tr("Leave the selected references out"),
        r.exclude_selected,
    )  # fmt: skip
    yield spec(
        "include", reference, tr("Include"), "", tr("Count the selected references again"),
        r.include_selected,
    )  # fmt: skip
    yield spec(
        "health", reference, tr("Health of this set…"), "Ctrl+H",
        tr("Suspects, duplicates, a map of the features; cleaning and slimming"),
        window.show_health, separate=True,
    )  # fmt: skip
    yield spec(
        "lots", reference, tr("Lot check…"), "Ctrl+L",
        tr("Judge several parts together: every part passes, but the mix may be wrong"),
        window.show_lots,
    )  # fmt: skip
    for method, text in METHOD_WORDS.items():
        told = tr("Judge this set by {}").format(text)
        if method == DEFAULT:
            told = tr("Judge by what new sets have; the references choose the input size again")
        elif method == TRAINED:
            told = tr("Judge this set by its newest model, or train one where there is none")
        yield spec(
            f"method_{method}", f"{recipe}/{tr('Method')}", text, "", told,
            partial(window.set_recipe, method=method), group="method",
        )  # fmt: skip
    for name in BACKBONE_NAMES:
        yield spec(
            f"backbone_{name}", f"{recipe}/{tr('Network')}", name, "",
            tr("Compute features with {}").format(name),
            partial(window.set_recipe, backbone=name), group="backbone",
        )  # fmt: skip
    yield spec(
        "training", recipe, tr("SimpleNet: train and models…"), "Ctrl+T",
        tr("Train a model on this set and watch it; use, compare and delete models"),
        window.show_training, separate=True,
    )  # fmt: skip
    yield spec(
        "precision", recipe, tr("Precision and runtime…"), "",
        tr("How exactly and by what the network is computed; see what another choice does first"),
        window.show_precision,
    )  # fmt: skip
    yield spec(
        "side_by_side", recipe, tr("Compare methods…"), "",
        tr("Run several methods on the same parts and see where they disagree; changes nothing"),
        window.show_side_by_side,
    )  # fmt: skip
    yield spec(
        "parameters", recipe, tr("Parameters…"), "",
        tr("The method's numbers, size and crop of this set"),
        window.show_parameters,
    )  # fmt: skip
    yield spec(
        "scale", recipe, tr("Scale…"), "",
        tr("Millimetres per pixel, so that regions are told in mm²"), window.show_scale,
    )  # fmt: skip
    yield spec(
        "suggested", recipe, tr("Use the suggested limit"), "",
        tr("Replace the limit by the one suggested from the references"),
        window.use_suggestion,
    )  # fmt: skip
    yield spec("folder", feed, tr("Folder…"), "Ctrl+F", tr("Judge a folder"), f.choose_folder)
    yield spec("camera", feed, tr("Camera…"), "", tr("Judge a camera"), f.enter_camera)
    yield spec("start", feed, tr("Start"), "F5", tr("Start the feed"), f.start, separate=True)
    yield spec("pause", feed, tr("Pause or go on"), "F6", tr("Pause the feed"), f.toggle_pause)
    yield spec("stop", feed, tr("Stop"), "Shift+F5", tr("Stop the feed"), f.stop)
    for verdict, text, key in (
        (Verdict.ACCEPT, tr("Accept"), "A"),
        (Verdict.UNSURE, tr("Unsure"), "U"),
        (Verdict.REJECT, tr("Reject"), "R"),
    ):
        yield spec(
            verdict.value, review, text, key, tr("Give the part this verdict"),
            partial(v.judge, verdict),
        )  # fmt: skip
    yield spec(
        "next_unreviewed", review, tr("Next unreviewed"), "N",
        tr("Go to the next part to review"), v.next_unreviewed, separate=True,
    )  # fmt: skip
    yield spec("next", review, tr("Next part"), "Right", tr("Go down the list"), v.next_part)
    yield spec(
        "previous", review, tr("Previous part"), "Left", tr("Go up the list"), v.previous_part
    )
    yield spec(
        "overlay", view, tr("Hide or show the overlay"), "O",
        tr("Keep the overlay hidden; hold Space to hide it for a moment"), h.toggle_overlay,
    )  # fmt: skip
    yield spec(
        "why", view, tr("Why flagged?"), "W",
        tr("Show what the hottest place was compared with; click any other place to ask of it"),
        h.explain,
    )  # fmt: skip
    yield spec("fit", view, tr("Fit the picture"), "F", tr("Show the whole picture"), h.fit)
    for look, text in (("system", tr("Look of the desktop")), ("dark", tr("Dark")),
                       ("light", tr("Light"))):  # fmt: skip
        yield spec(
            f"look_{look}", view, text, "", tr("Change the colours"),
            partial(window.use_look, look), group="look", separate=look == "system",
        )  # fmt: skip
    yield spec("keys", help_, tr("Keys"), "F1", tr("List all keys"), window.show_keys)
    yield spec(
        "demo", help_, tr("Try the demo"), "", tr("Judge drawn parts in another workspace"),
        window.demo_requested.emit,
    )  # fmt: skip
