"""What docs/accuracy.md says around its tables."""

from tests.truth.report_cases import DOGS, EXERCISES, WALKS

CASES = 200
DOG_CASES = 60
LASTING_CASES = 80

HEAD = f"""\
# How exact the measurements are

Written by `python -m tests.truth.report` from generated movement; do not edit. `tests/motion/test_accuracy.py`
computes part of it again.

A person ({", ".join((*EXERCISES, *WALKS))}, run) and a dog ({", ".join(DOGS)}) of which every angle, contact and
length is known (`tests/truth`) are seen by a camera at 1280 x 720 with 66° of field, and what a pose model would say
is measured as on the box. *Measured noise* has the size, correlation, outliers and gaps that were measured on 38
clips of people after the box's own filter (`tests/truth/noise.toml`). What that noise does not have is an error that
lasts: a model that takes a hip for higher than it is throughout, or that is wrong about depth. So these tables say
what geometry, sampling and noise cost, and the last section what lasting errors add. Dogs' noise is an assumption:
that of people.
"""
IN_PLANE = """
## Angles in their plane

Mean absolute errors in views within 20° of the angle's plane, camera tilts of -10° to 20° (known), 30 pictures a
second. *live*: every moment that has a value, whatever its grade. *smoothed*: the same courses as repetitions and
strides take them. *grade A*: the moments with that grade, and what 95 of 100 of these err less than.

"""
BY_VIEW = """
## Angles by view, rate and tilt

Every moment with a value, of any grade, live.

![Knee flexion in a squat by view](images/accuracy-knee-by-view.svg)

![Shoulder abduction by view](images/accuracy-abduction-by-view.svg)

![Trunk lean by tilt of the camera](images/accuracy-lean-by-tilt.svg)

![Knee flexion by pictures a second](images/accuracy-knee-by-rate.svg)

"""
GAIT = """
## Contacts

Of four walks (even, fast, limping, past the camera), 10 s each, tilt 10° known. *missed*: no contact
of the right kind within 0.15 s, mostly where nobody was found.

"""
GAIT_MEASURES = """
## Gait by view

Mean absolute errors; body height known. From 45° on depth from the model is used: these are graded C.

![Stride length by view](images/accuracy-stride-by-view.svg)

"""
GAIT_DOGS = """
The same of dogs; their lengths are graded B at best.

"""
CONFUSION = f"""
## What a grade is worth

{CASES} clips drawn by chance: any movement, yaw 0-90° of either side, tilt -20-30° (known in half of them), 10 to 60
pictures a second, 2.5 to 9 m away, measured noise with gaps; every other one is near the plane, where A is to be had.
A clip counts for each grade that it gets for ten moments or more, and is inside when the mean absolute error of these
is. *none*: no value for most of the clip.
"""
CONFUSION_GAIT = f"""
{CASES} clips of walks, 4 to 30 s (3 or 5 s past the camera), drawn in the same way; every other one within 20° of a
side view.
"""
CONFUSION_DOGS = f"""
{DOG_CASES} clips of dogs. None is graded A: a dog's model gives no depth, so nobody knows how far the dog is turned
from the picture's plane, and its noise was never measured. What is B holds less often than for people.
"""
LASTING = f"""
## Errors that last

The same draw, {LASTING_CASES} clips each, with the measured noise and an error that stays. *leans*: in space, not in
the picture, the body leans to the camera by 15° (our clips: 13 to 17° in side views, 5 to 8° in front views) and is
turned by 10°. The picture is right, so what is still graded A should hold; values from depth are worth what B and C
show. *hips*: both hips lie 0.06 trunk lengths off in the picture: no grade can see that, so this is what a wrong
joint costs. Inside: 3°. B and C: inside / outside.

"""
TAIL = """
## What the grades rest on

- Noise is carried on to each angle from the speed of its joints and the lengths of its segments in the picture
  (`edge.motion.trembling`): above 2° of mean error by noise B at best, above 6° C (*moves fast*).
- A limb that is bent too little to show the plane in which it bends counts as turned as far as the worse of its own
  plane and the one in which the joint is meant to bend.
- Angles against the vertical, and lengths, need the camera's tilt for A.
- A trunk below 60 pixels is graded B at best, below 30 C: smaller ones were not in the measurement of the noise.
- Gait below 24 pictures a second is B at best, below 20 C, below 12 there is none. A mean over strides is A where
  twice its standard error and what more strides do not cure stay within the limit (`edge.motion.estimate`); of few
  strides by Student's t, and with the error of what all steps of a side share, the length of the other foot.
- Contacts are read at a fixed share of the speed of travel. That is right for a stance of 63 % in walks (41 % in
  runs); each point away from it is read as three quarters of a point, at any speed. So stance, double support and the
  symmetry of stances and step times are graded down as far as a stance is unusual.
- What the grades of gait allow for was chosen on 320 clips that are not on this page, and held on 320 others, all
  from the side (A inside: stance left 143 of 143, right 115 of 119, step times 71 of 73, double support 194 of 195).
- Values from depth alone (45° and more out of plane) are C: their noise is small, their lasting errors are not.
  Between 20° and 45° depth has a part in them; they are B at best, and under a lasting error less than that (above).

## What is not measured

One camera and 33 points (ears, eyes, nose, mouth; shoulder, elbow, wrist and three of the hand; hip, knee, ankle,
heel and toe) do not show everything. These have no number, rather than a wrong one:

- **Pelvis tilt**, forwards and back. The only points of the pelvis are the two hip joints. A line between them shows
  how level it is (`pelvis_obliquity`) and how it is turned, not how it is tipped: that takes other points of it.
- **The curve of the spine**: hollow back, round back, scoliosis. Between hips and shoulders there is no point. Of the
  spine's line there are only two straight parts: hips to shoulders (`trunk_lean`, `spine_side_lean`) and shoulders to
  ears; `neck_flexion` is how far ear, shoulder and hip are from one line, seen from the side.
- **Turns of a segment about itself**: forearm, thigh, shank, and the foot's inversion. Fingers: two points beyond the
  wrist are too near to it for more than the wrist's flexion.
- **Sway towards the camera and away from it**, and so the area of sway: there the model's depth trembles as much as
  somebody who stands still. What crosses the picture is told (`sway_sideways` from the front, `sway_forwards` from
  the side), its root mean square to about 0.2 mm; the path of somebody very still comes out up to a fifth too long.
- **Anything out of the plane of a dog's picture**, and a dog's trunk bent sideways.
- **Forces, moments, muscles, centre of mass.** Joint centres are where a model has learned that people mark them, not
  where a joint turns: a constant part of that is in every angle, and no grade knows it (*Errors that last*).
"""
