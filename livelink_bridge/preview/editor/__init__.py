"""The state of the editor: clip, character, history, exports. Does not depend on the page."""
