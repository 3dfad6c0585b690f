"""`kinebox models eval`: how well labelled clips are counted and named, beside the usual one-angle counter."""
