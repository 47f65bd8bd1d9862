"""12-export: the trained model as files that other programs read, each checked by the program that it is made for."""
