"""How far the landmark network's answers are from those of its float parent, as a loss that can be minimised.

Needs PyTorch, which Kinebox does not depend on: ask `models.calibrate.distil.check_torch` before importing this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from models.regions import HEATMAP_SIZE, LANDMARK_SIZE, LANDMARKS

if TYPE_CHECKING:
    from collections.abc import Mapping

# What each part of the distance counts. The first is what users get: landmarks after heatmap refinement.
_SHARES = {
    "refined": 1.0,
    "raw": 0.4,
    "region": 0.3,
    "world": 0.4,
    "visibility": 0.3,
    "depth": 0.05,
    "heatmap": 0.5,
    "presence": 0.1,
}
_BODY = slice(0, 33)
_REGION = slice(33, 35)  # the two points that the next picture's region is made of
_SHOULDERS, _HIPS = [11, 12], [23, 24]
_LEAST_PRESENCE = 0.6
_LEAST_TORSO = 20.0  # pixels of the crop: seen from the front end of a body nobody is of no length
_SOFT = 1e-4  # square pixels: the distance is smooth at zero
_STEP = LANDMARK_SIZE // HEATMAP_SIZE
_REACH = 3  # heatmap cells on each side of a landmark, as in `models.regions.refined`
_LEAST_CHANCE = 0.5


def distance(found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the loss f32[] of a student's answers beside its teacher's, both by the name of the output.

    landmarks f32[N, 195]; presence f32[N, 1]; heatmap: logits f32[N, 39, 64, 64]; world f32[N, 117].
    Lengths count in torso lengths (world: metres), and only where the teacher is sure of somebody; heatmap,
    visibility and presence as probabilities.
    """
    each = parts(found, wanted)
    total = each["refined"]
    for name, share in _SHARES.items():
        if name != "refined":
            total = total + share * each[name]
    return total


def parts(found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return what `distance` is made of, each f32[]."""
    count = len(wanted["presence"])
    points, truth = (answers["landmarks"].reshape(count, LANDMARKS, 5) for answers in (found, wanted))
    world, true_world = (answers["world"].reshape(count, LANDMARKS, 3) for answers in (found, wanted))
    cells = torch.floor(truth[..., :2] / _STEP).long()
    with torch.no_grad():
        true_places, true_chances = _refined(truth[..., :2], wanted["heatmap"], cells)
        peaked = (true_chances.amax((2, 3)) >= _LEAST_CHANCE) & _inside(cells).all(-1)
        true_places = torch.where(peaked[..., None], true_places, truth[..., :2])
    places, chances = _refined(points[..., :2], found["heatmap"], cells)
    places = torch.where(peaked[..., None], places, points[..., :2])
    shoulders, hips = (true_places[:, pair].mean(1) for pair in (_SHOULDERS, _HIPS))
    torso = (shoulders - hips).norm(dim=1).clamp(min=_LEAST_TORSO)[:, None]
    sure = (wanted["presence"].reshape(-1) > _LEAST_PRESENCE).float()[:, None]
    weights = sure / sure.sum().clamp(min=1)

    def apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (((a - b) ** 2).sum(-1) + _SOFT).sqrt() / torso

    def mean(each: torch.Tensor) -> torch.Tensor:
        return (each * weights).sum()

    moved = apart(points[..., :2], truth[..., :2])
    visible = (points[..., 3:].sigmoid() - truth[..., 3:].sigmoid()).abs()
    depth = (points[..., 2] - truth[..., 2]).abs() / torso
    metres = (world - true_world)[:, _BODY].norm(dim=-1)
    return {
        "refined": mean(apart(places, true_places)[:, _BODY].mean(1, keepdim=True)),
        "raw": mean(moved[:, _BODY].mean(1, keepdim=True)),
        "region": mean(moved[:, _REGION].mean(1, keepdim=True)),
        "world": mean(metres.mean(1, keepdim=True)),
        "visibility": mean(visible.mean((1, 2))[:, None]),
        "depth": mean(depth.mean(1, keepdim=True)),
        "heatmap": mean((chances - true_chances).abs().mean((1, 2, 3))[:, None]),
        "presence": (found["presence"].reshape(count, -1) - wanted["presence"]).abs().mean(),
    }


def _refined(
    points: torch.Tensor, heatmap: torch.Tensor, cells: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the centres of mass [N, 39, 2] of the windows around `cells`, and their chances [N, 39, 7, 7]."""
    offsets = torch.arange(-_REACH, _REACH + 1)
    rows, columns = cells[..., 1, None] + offsets, cells[..., 0, None] + offsets
    picture = torch.arange(len(points))[:, None, None, None]
    landmark = torch.arange(LANDMARKS)[None, :, None, None]
    last = HEATMAP_SIZE - 1
    window = heatmap[
        picture, landmark, rows.clamp(0, last)[..., :, None], columns.clamp(0, last)[..., None, :]
    ]
    chances = window.sigmoid() * (_inside(rows)[..., :, None] & _inside(columns)[..., None, :])
    mass = chances.sum((2, 3)) + 1e-6
    x = (chances.sum(2) * columns).sum(-1) / mass * _STEP
    y = (chances.sum(3) * rows).sum(-1) / mass * _STEP
    return torch.stack([x, y], -1), chances


def _inside(cells: torch.Tensor) -> torch.Tensor:
    return (cells >= 0) & (cells < HEATMAP_SIZE)
