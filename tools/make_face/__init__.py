"""A face of our own, made from formulas: one file a part. Lengths in centimetres, x to the character's left, y up, z to
the front.

geometry/   anatomy.py     where things are: eyes, mouth, jaw
            surface.py     the closed skin as a blend of rounded solids, and rays that meet it
            fields.py      bumps and falloffs from which movements are made
            delaunay.py    triangles between scattered points
            part.py        one piece: points, triangles, colours, and how each blend shape moves it
skin/       sheet.py       points on the skin, closer where the face is fine, and the triangles between them
            skull.py       the skin with its two holes for the eyes and one for the mouth
            lids.py lips.py mouth_bag.py   what is grown into the holes
            flesh.py       all of it welded, mirrored, with each point's place in the mouth's and jaw's own coordinates
            complexion.py  its colours, point by point
features/   eyes.py brows.py teeth.py tongue.py ears.py hair.py neck.py   parts that stand alone
shapes/     move_jaw.py move_mouth.py move_eyes.py move_brows.py   the 52 blend shapes, by region
            targets.py     the list of all 52, the right ones as the left ones mirrored
whole.py    every part in its place
glb.py      parts and movements -> a glTF binary, materials.py what each part is made of
contact_sheet.py   pictures of the face on a grid
"""
