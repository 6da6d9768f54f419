"""What every purged split must obey, spelled out sample by sample."""


def blocks(test):
    """Runs of consecutive positions."""
    runs = []
    for position in sorted(int(t) for t in test):
        if runs and position == runs[-1][-1] + 1:
            runs[-1].append(position)
        else:
            runs.append([position])
    return runs


def conflict(sample, test, start, end, embargo):
    """Why a sample may not train: purged, embargoed or None."""
    embargoed = False
    for block in blocks(test):
        first, last = min(start[i] for i in block), max(end[i] for i in block)
        if start[sample] <= last and end[sample] >= first:
            return "purged"
        embargoed |= last < start[sample] <= last + embargo
    return "embargoed" if embargoed else None


def check_valid_split(train, test, start, end, embargo=0):
    """Raise AssertionError unless exactly the samples that may train do, and none twice."""
    train, test = [int(i) for i in train], [int(i) for i in test]
    assert test, "nothing is tested"
    assert train == sorted(set(train)), "training positions repeat or are out of order"
    assert test == sorted(set(test)), "test positions repeat or are out of order"
    assert not set(train) & set(test), "a sample trains and is tested"
    for sample in range(len(start)):
        if sample in test:
            continue
        reason = conflict(sample, test, start, end, embargo)
        assert (sample in train) == (reason is None), f"sample {sample}: {reason}"
