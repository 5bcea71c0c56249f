"""The skin, the lips and the lids as one sheet, and its colours."""
