"""What PMMTalk is trained to do: by the shipped recipe (`live`) and by the paper's losses alone (`small`)."""
