"""Parts that stand alone: eyes, brows, teeth, tongue, ears, hair, neck."""
