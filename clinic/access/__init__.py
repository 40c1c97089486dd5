"""Who may come in, and for how long; knows no booking rule."""
