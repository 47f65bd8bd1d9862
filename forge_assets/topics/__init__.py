"""The topics room: work-level vectors -> stable topic clusters of two levels, with labels, tasks and slots."""
