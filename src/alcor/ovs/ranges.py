"""A range of numbers as the fewest (value, mask) pairs: how a switch can match it."""


def masks_of_range(first: int, last: int, bits: int = 16) -> list[tuple[int, int]]:
    """The pairs that match exactly `first` to `last`, both included; of 16 bits at most 30.

    `ValueError` when the range is empty or does not fit.
    """
    if not 0 <= first <= last < 1 << bits:
        raise ValueError(f"{first} to {last} is not a range of {bits} bits")
    full = (1 << bits) - 1
    found = []
    while first <= last:
        aligned = first & -first or 1 << bits  # the greatest block that starts here
        fits = 1 << (last - first + 1).bit_length() - 1  # the greatest that does not end too late
        size = min(aligned, fits)
        found.append((first, full & ~(size - 1)))
        first += size
    return found
