"""The clouds' own client libraries judge the clouds that the tests play. See `__main__`."""
