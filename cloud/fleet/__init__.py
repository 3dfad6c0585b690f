"""What boxes shall run: releases tried by a part of a fleet, judged by what is measured, signed for each box."""
