"""Many customers at once, by set-based SQL that is generated from the models: merge, and undo."""
