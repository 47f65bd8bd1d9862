"""What a night brought, over all rooms it went through: told at its end, and by `forge corpus nights` afterwards."""
