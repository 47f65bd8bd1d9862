"""How well the room reads, against labels and facts that no rule was made from."""
