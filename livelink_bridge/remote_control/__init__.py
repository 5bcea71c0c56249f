"""Remote control: the OSC API of the Live Link Face app, so that Switchboard and OSC dashboards control this program as
they control a phone."""
