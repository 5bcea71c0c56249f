"""Remote control: the Live Link Face app's OSC API, so that Switchboard and stage dashboards take this program for a
phone."""
